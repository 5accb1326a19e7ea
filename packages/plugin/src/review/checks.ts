import { pluginVersion } from '../reconcile/index.js';
import type { Check } from './finding.js';

/** Checks that need the whole workspace, beside the rules, which see one file and what it imports. */
export const WORKSPACE_CHECKS: readonly Check[] = (
  [
    {
      name: 'unreachable-gateway',
      severity: 'high',
      description: 'Let an app import the module that provides a gateway',
      why: 'Nest binds a gateway only when its module is imported from the root module. Otherwise its namespace does not exist, and nothing says so.',
      remedy: 'List the gateway in the providers of its module, and import that module.',
    },
    {
      name: 'unreachable-consumer',
      severity: 'high',
      description: 'Let an app import the module that lists a consumer',
      why: 'Nest looks for handlers in the controllers of imported modules only. The events of others are lost, or fill their queue.',
      remedy: 'List the consumer in the controllers of its module, and import that module.',
    },
    {
      name: 'adapter-not-installed',
      severity: 'high',
      description: 'Install the adapter that the app has written',
      why: 'Without useWebSocketAdapter() Nest takes its own adapter: what this class checks is not checked.',
      remedy: 'Call app.useWebSocketAdapter(new ...(app)) before app.listen().',
    },
    {
      name: 'adapter-after-listen',
      severity: 'high',
      description: 'Install the adapter before the app listens',
      why: 'Gateways are bound by init() and listen(). An adapter that comes later is ignored, with what it checks.',
      remedy: 'Move app.useWebSocketAdapter() before app.init() and app.listen().',
    },
    {
      name: 'microservice-not-connected',
      severity: 'high',
      description: 'Connect a microservice to an app that has consumers',
      why: 'Handlers of broker events are bound to a microservice. Without one they are never called.',
      remedy:
        'Call app.connectMicroservice() before, and app.startAllMicroservices() after app.listen().',
    },
    {
      name: 'microservice-not-started',
      severity: 'high',
      description: 'Start the microservices that are connected',
      why: 'connectMicroservice() alone consumes nothing.',
      remedy: 'Call app.startAllMicroservices() after app.listen().',
    },
    {
      name: 'microservices-before-listen',
      severity: 'medium',
      description: 'Listen before the microservices start',
      why: 'Started first, they handle events before gateways exist; and with the broker down startAllMicroservices() never settles, so that the app does not listen at all, not even for its health.',
      remedy:
        'Call app.listen() first, and then app.startAllMicroservices() without waiting for it.',
    },
    {
      name: 'one-rmq-microservice',
      severity: 'high',
      description: 'Connect one RabbitMQ microservice to an app',
      why: 'Nest registers every handler with every microservice of a transport: each event is handled as often as there are connections.',
      remedy: 'Bind one queue to what the app consumes, or give each microservice a process.',
    },
    {
      name: 'gateway-unserved',
      severity: 'high',
      description: 'Serve each gateway as its clients connect to it',
      why: 'setupRealtime() serves all gateways by one server, on namespaces that take a token: a port, a path or the root namespace is not reached any more.',
      remedy:
        'Adopt it with realtime-domain --adopt, or give it a namespace and its clients a token; until then keepGateways leaves it as it was.',
    },
    {
      name: 'gateway-kept',
      severity: 'low',
      description: 'Adopt the gateways that are kept without protection',
      why: 'keepGateways asks their clients for no token, and holds none of the limits.',
      remedy: 'Adopt it with realtime-domain --adopt, and take it out of keepGateways.',
    },
    {
      name: 'vulnerable-dependency',
      severity: 'high',
      description: 'Keep to the versions without known faults',
      why: 'Ranges do not raise what a lockfile holds: a copy with a published fault stays until somebody lifts it.',
      remedy: 'Update what brings it, or override its version.',
    },
  ] as const
).map((check) => ({
  ...check,
  url: `https://unpkg.com/@nx-realtime/plugin@${pluginVersion()}/REVIEW.md#${check.name}`,
}));
