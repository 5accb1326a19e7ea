/** `Topic-babac`: the numbered names of domains that have a plain plural. */
export const topicName = (index: number): string => `Topic-${letters(index)}`;

/** A domain of ten events: the path of its file in a host, and its text. @param type of each `id` */
export function topicFile(index: number, type = 'string'): [path: string, text: string] {
  const events = (stem: string, payload: object): object =>
    Object.fromEntries([0, 1, 2, 3, 4].map((event) => [`${stem}${event}`, { payload }]));
  const domain = {
    name: topicName(index),
    serverEvents: events('pushed', { id: type, n: 'number' }),
    clientEvents: events('asked', { id: type, 'mood?': 'enum(a|b)' }),
  };
  const folder = `topic-${letters(index)}s`;
  return [
    `apps/api-gateway/src/realtime/${folder}/${folder}.domain.json`,
    `${JSON.stringify(domain, null, 2)}\n`,
  ];
}

function letters(index: number): string {
  return [...String(index).padStart(3, '0')].map((digit) => 'bcdfghjkln'[Number(digit)]).join('a');
}
