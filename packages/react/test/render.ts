import type { TestProject } from 'vitest/node';
import { mutantHost, MUTATIONS, mutate } from '../../plugin/test/mutations.js';
import { renderHost } from '../../plugin/test/support/render-host.js';
import { CSS_MODULES, domain, hostFacts, ticket } from '../../plugin/test/support/shapes.js';
import type { Shape } from '../../plugin/test/support/shapes.js';

/** Listed and unlisted events, with and without commands, and names that are hard to survive. */
export function webShape(name: string): Shape {
  return {
    name,
    host: hostFacts({ solution: false, runner: 'vitest' }),
    files: CSS_MODULES,
    domains: [
      domain({ name: 'Notification', clientEvents: ['markRead{notificationId}'] }),
      domain({
        name: 'Chat',
        serverEvents: [
          'message.created{id,body,kind:enum(text|image)}',
          'typing{userId}',
          'edited{id}',
        ],
        clientEvents: ['send{body}', 'status{text?}', 'delete{id}'],
        example: true,
      }),
      ticket,
      domain({ name: 'Document', rooms: 'resource', clientEvents: ['edit{documentId,text}'] }),
      domain({ name: 'News' }),
      domain({ name: 'Class', serverEvents: ['started{at:datetime,meta:json}', 'ended'] }),
      domain({ name: 'constructor' }),
      // Named as what the emitted files import.
      domain({
        name: 'Import',
        serverEvents: [
          'create.element{id}',
          'render.hook{id}',
          'set.realtimeReporter',
          'event.handler',
        ],
        clientEvents: ['use.channel{id}'],
      }),
      domain({ name: 'Subscription', rooms: 'resource', serverEvents: ['state{subscriptionId}'] }),
      domain({ name: 'Promise' }),
      // Emptied of server events by hand, as a domain file may be.
      { ...domain({ name: 'Map', clientEvents: ['open{id}'] }), serverEvents: [] },
    ],
  };
}

export default function setup(project?: TestProject): void {
  const name = project?.config.env['WEB_HOST'] ?? 'web';
  const mutation = MUTATIONS.find((found) => mutantHost(found) === name);
  renderHost(
    'plugin',
    webShape(name),
    /^(?:apps\/web|libs)\//,
    '../react/test/tsconfig.json',
    mutation && mutate(mutation),
  );
}
