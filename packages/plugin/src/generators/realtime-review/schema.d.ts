/** Options of `nx g realtime-review`. */
export interface RealtimeReviewSchema {
  project?: string;
  fix?: boolean;
  format?: 'markdown' | 'json' | 'sarif';
  output?: string;
  severity?: 'high' | 'medium' | 'low';
  failOn?: 'high' | 'medium' | 'low' | 'never';
  skip?: string[];
}
