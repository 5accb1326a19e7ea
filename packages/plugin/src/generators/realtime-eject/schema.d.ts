/** Options of `nx g realtime-eject`. */
export interface RealtimeEjectSchema {
  kernel?: 'nest' | 'react';
  undo?: boolean;
  skipFormat?: boolean;
}
