/**
 * True if one version precedes the other, as semver.org orders them; of a range `^` or `~` counts
 * where it begins. Of what is no version nothing is said.
 */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [parse(version), parse(than)];
  if (!a || !b) return false;
  for (const [index, part] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0;
    if (part !== other) return part < other;
  }
  if (a.tags.length === 0 || b.tags.length === 0) return a.tags.length > b.tags.length;
  for (const [index, tag] of a.tags.entries()) {
    const other = b.tags[index];
    if (other === undefined) return false;
    if (tag !== other) return compareTags(tag, other) < 0;
  }
  return a.tags.length < b.tags.length;
}

function parse(version: string): { numbers: number[]; tags: string[] } | null {
  const match = /^[v^~>=]*(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(
    version.trim(),
  );
  if (!match) return null;
  const [, major, minor, patch, tags] = match;
  return {
    numbers: [major, minor, patch].map((part) => Number(part ?? 0)),
    tags: tags?.split('.') ?? [],
  };
}

/** Numbers before words, and numbers by their value. */
function compareTags(a: string, b: string): number {
  const [left, right] = [a, b].map((tag) => (/^\d+$/.test(tag) ? Number(tag) : null));
  if (left !== null && right !== null) return (left ?? 0) - (right ?? 0);
  if (left !== null) return -1;
  if (right !== null) return 1;
  return a < b ? -1 : 1;
}
