/** Options of the realtime-check target. */
export interface RealtimeCheckSchema {
  against?: string;
  json?: boolean;
  sarif?: string;
  codeQuality?: string;
}
