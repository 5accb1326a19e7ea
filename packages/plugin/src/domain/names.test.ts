import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainNames } from './names.js';

const spelled = (input: string) => {
  const { pascal, pascalPlural, camel, kebabPlural } = domainNames(input);
  return [pascal, pascalPlural, camel, kebabPlural];
};

describe('domainNames', () => {
  it.each([
    ['Notification', 'Notification', 'Notifications', 'notification', 'notifications'],
    ['notifications', 'Notification', 'Notifications', 'notification', 'notifications'],
    ['ActivityFeed', 'ActivityFeed', 'ActivityFeeds', 'activityFeed', 'activity-feeds'],
    ['activity-feed', 'ActivityFeed', 'ActivityFeeds', 'activityFeed', 'activity-feeds'],
    ['order_line', 'OrderLine', 'OrderLines', 'orderLine', 'order-lines'],
    ['News', 'News', 'News', 'news', 'news'],
    ['Person', 'Person', 'People', 'person', 'people'],
    ['people', 'Person', 'People', 'person', 'people'],
    ['Status', 'Status', 'Statuses', 'status', 'statuses'],
    ['chat', 'Chat', 'Chats', 'chat', 'chats'],
    ['API', 'Api', 'Apis', 'api', 'apis'],
    ['HTTPServer', 'HttpServer', 'HttpServers', 'httpServer', 'http-servers'],
    ['Class', 'Class', 'Classes', 'class', 'classes'],
    ['constructor', 'Constructor', 'Constructors', 'constructor', 'constructors'],
    ['Canvas', 'Canvas', 'Canvases', 'canvas', 'canvases'],
    ['SMS', 'Sms', 'Sms', 'sms', 'sms'],
    ['Data', 'Data', 'Data', 'data', 'data'],
    ['S', 'S', 'S', 's', 's'],
    ['Team-S', 'TeamS', 'TeamS', 'teamS', 'team-s'],
  ])('spells %s', (input, ...expected) => {
    expect(spelled(input)).toEqual(expected);
  });

  it.each(['2FA', '', ' ', '-', 'a/b', '../x', 'a.b', 'é', 'Über', 'a--b', 'a b!', '$x', '-x'])(
    'refuses %j',
    (input) => {
      expect(() => domainNames(input)).toThrow(/^RT001 /);
    },
  );

  it('says which letters a name may have', () => {
    expect(() => domainNames('Уведомление')).toThrow(/begin with a letter from A to Z/);
  });

  it.each(['Realtime', 'realtimes'])('refuses the reserved %s', (input) => {
    expect(() => domainNames(input)).toThrow(/^RT001 .*reserved/);
  });

  it('gives identifiers for whatever it accepts', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,12}(?:[-_ ][A-Za-z0-9]{1,8}){0,3}$/),
        (input) => {
          const names = domainNames(input);
          expect(names.pascal).toMatch(/^[A-Z][A-Za-z0-9]*$/);
          expect(names.camelPlural).toMatch(/^[a-z][A-Za-z0-9]*$/);
          expect(names.kebabPlural).toMatch(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
          expect(names.constantPlural).toMatch(/^[A-Z][A-Z0-9_]*$/);
        },
      ),
    );
  });

  it('gives the same names for its own plural', () => {
    for (const name of ['Notification', 'ActivityFeed', 'Person', 'Status', 'Class', 'Canvas']) {
      expect(domainNames(domainNames(name).pascalPlural)).toEqual(domainNames(name));
    }
  });
});
