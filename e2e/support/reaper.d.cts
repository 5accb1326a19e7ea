/** Every living descendant of a process; empty where there is no /proc. */
export function descendants(root: number): number[];
