import { renderHost } from '../support/render-host.js';
import { domain, hostFacts } from '../support/shapes.js';

/** Listed and unlisted events, with and without commands, and names that are hard to survive. */
export default function setup(): void {
  const shape = {
    name: 'web',
    host: hostFacts({ solution: false, runner: 'vitest' }),
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
      domain({ name: 'Document', rooms: 'resource', clientEvents: ['edit{documentId,text}'] }),
      domain({ name: 'News' }),
      domain({ name: 'Class', serverEvents: ['started{at:datetime,meta:json}', 'ended'] }),
      domain({ name: 'constructor' }),
      domain({ name: 'Promise' }),
      // Emptied of server events by hand, as a domain file may be.
      { ...domain({ name: 'Map', clientEvents: ['open{id}'] }), serverEvents: [] },
    ],
  };
  renderHost(shape, /^(?:apps\/web|libs)\//, 'test/web/tsconfig.json');
}
