import type { TestProject } from 'vitest/node';
import { renderHost } from '../../plugin/test/support/render-host.js';
import { domain, hostFacts } from '../../plugin/test/support/shapes.js';
import type { Shape } from '../../plugin/test/support/shapes.js';
import { mutantHost, MUTATIONS, mutate } from '../../plugin/test/mutations.js';

/** Names that JavaScript, Nest or English grammar have plans for; each boots and passes its specs. */
const HARD_NAMES = ['News', 'Person', 'order-line', 'API', 'Class', 'Map', 'Event', 'Promise'];

/** What the kernel is tested with: every kind of rooms, with and without client events. */
export function kernelShape(name: string): Shape {
  return {
    name,
    host: hostFacts({
      solution: false,
      runner: 'vitest',
      web: false,
      publishers: ['orders'],
    }),
    domains: [
      domain({
        name: 'Notification',
        clientEvents: ['markRead{notificationId}'],
        web: 'none',
        observability: true,
      }),
      domain({
        name: 'Chat',
        rooms: 'user',
        serverEvents: ['message.created{id,body,userId}'],
        web: 'none',
      }),
      domain({
        name: 'Document',
        rooms: 'resource',
        serverEvents: ['changed{documentId,text}'],
        web: 'none',
      }),
      domain({ name: 'Region', rooms: 'custom', web: 'none' }),
      ...[...HARD_NAMES, 'constructor'].map((hard) =>
        domain({ name: hard, clientEvents: ['delete{id}', 'constructor'], web: 'none' }),
      ),
    ],
  };
}

export default function setup(project?: TestProject): void {
  const name = project?.config.env['KERNEL_HOST'] ?? 'kernel';
  const mutation = MUTATIONS.find((found) => mutantHost(found) === name);
  const shape = kernelShape(name);
  renderHost(
    'nest',
    shape,
    /^(?:apps|libs)\//,
    'templates/tsconfig.json',
    mutation && mutate(mutation),
  );
}
