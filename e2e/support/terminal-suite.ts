import { createHost, installPlugin, type Host, type HostKind } from './host';
import { KEYS, Terminal } from './terminal';

const FOLDER = 'apps/api-gateway/src/realtime';

/** All that a person is asked in a terminal, in a real one. */
export function describeTerminal(kind: Extract<HostKind, 'integrated' | 'oldest'>): void {
  describe(`in a terminal, in a workspace of the ${kind} preset`, () => {
    let host: Host;

    const open = (generator: string): Terminal => Terminal.open(host, `npx nx g ${generator}`);

    beforeAll(async () => {
      host = await createHost(kind, `terminal-${kind}`);
      await installPlugin(host);
      host.commit('Add the plugin');
    });

    /** Presses Enter at each question, and returns what is printed after the last one. */
    async function enter(terminal: Terminal, ...questions: readonly RegExp[]): Promise<void> {
      for (const question of questions) {
        await terminal.sees(question);
        terminal.press(KEYS.enter);
      }
    }

    const ROOMS = /Who receives what the server sends\?/;
    const SERVER_EVENTS = /Which events does the server send\?/;
    const CLIENT_EVENTS = /Which events do clients send\?/;

    describe('realtime-domain', () => {
      it.each([
        ['the name', '', []],
        ['the rooms', 'Notification', [ROOMS]],
        ['the events of the server', 'Notification --rooms=tenant', [SERVER_EVENTS]],
        ['the events of clients', 'Notification --rooms=tenant', [SERVER_EVENTS, CLIENT_EVENTS]],
      ])('leaves nothing behind after Ctrl-C at %s', async (_, given, questions) => {
        const terminal = open(`realtime-domain ${given}`);
        await enter(terminal, ...questions.slice(0, -1));
        await terminal.sees(questions.at(-1) ?? /What is the domain called\?/);
        terminal.press(KEYS.ctrlC);
        const { code, text } = await terminal.ends();
        expect(text).toContain('Cancelled: nothing was written.');
        expect(code).toBe(130);
        expect(host.status()).toEqual([]);
      });

      it('takes Enter all the way, but for the name', async () => {
        const terminal = open('realtime-domain');
        await enter(terminal, /What is the domain called\?/);
        await terminal.sees(/RT001 .*name/);
        terminal.press('Notification', KEYS.enter);
        const rooms = await terminal.sees(/custom: .*/);
        for (const means of [/tenant: \w/, /user: \w/, /resource: \w/])
          expect(rooms).toMatch(means);
        terminal.press(KEYS.enter);
        await enter(terminal, SERVER_EVENTS, CLIENT_EVENTS);
        const { code, text } = await terminal.ends();
        expect(code).toBe(0);
        const report = text.slice(text.indexOf('Notification is on http'));
        expect(report).toContain(
          'npx nx-realtime emit notification.created --id=1 --message=hi --type=info',
        );
        const rows = report.split('\n').map((line) => Math.max(1, Math.ceil(line.length / 80)));
        expect(rows.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(24);
        // What was written for its owner is listed together, below the state.
        expect(text).toMatch(/realtime\.module\.ts\n(?:CREATE (?!\.nx-realtime).*\n){9}/);
        expect(domainFile('notifications')).toMatchObject({
          rooms: 'tenant',
          app: 'api-gateway',
          web: 'web',
          serverEvents: {
            'notification.created': {
              payload: { id: 'string', message: 'string', type: 'string', 'userId?': 'string' },
            },
          },
          clientEvents: {},
        });
        host.commit('Generate Notification');
      });

      it('asks nothing of a domain that is there, whatever it is asked for', async () => {
        for (const flags of ['--example', '--rename=Alert']) {
          const { code, text } = await open(
            `realtime-domain Notification --dry-run ${flags}`,
          ).ends();
          expect(text).not.toContain('?  ');
          expect(text).toContain('no changes were made');
          expect(code).toBe(0);
        }
        expect(host.status()).toEqual([]);
      });

      it('takes typed events, and asks again for wrong ones, showing where', async () => {
        const terminal = open('realtime-domain Chat');
        await terminal.sees(ROOMS);
        terminal.press(KEYS.down, KEYS.enter);
        await terminal.sees(SERVER_EVENTS);
        terminal.press('posted(id,userId)', KEYS.enter);
        const text = await terminal.sees(/\^/);
        expect(text).toContain('RT002');
        expect(text).toMatch(/^ {2}posted\(id,userId\)\n {8}\^$/m);
        terminal.press(KEYS.clear, "'posted{id}'", KEYS.enter);
        // Of `user` rooms an event has to name the user.
        await terminal.sees(/RT007 .*userId/);
        terminal.press(KEYS.clear, 'posted{id,userId},deleted{id,userId}', KEYS.enter);
        await terminal.sees(/What does chat\.deleted do to the list[^]*remove: .*/);
        terminal.press(KEYS.down, KEYS.down, KEYS.enter);
        await terminal.sees(CLIENT_EVENTS);
        terminal.press('say{text', KEYS.enter);
        await terminal.sees(/RT002[^]*\^/);
        terminal.press('}', KEYS.enter);
        expect((await terminal.ends()).code).toBe(0);
        expect(domainFile('chats')).toMatchObject({
          rooms: 'user',
          serverEvents: {
            'chat.posted': { payload: { id: 'string', userId: 'string' }, list: 'add' },
            'chat.deleted': { list: 'remove' },
          },
          clientEvents: { 'chat.say': { payload: { text: 'string' } } },
        });
        host.commit('Generate Chat');
      });

      it('asks nothing with --no-interactive', async () => {
        const { code, text } = await open(
          'realtime-domain Order --dry-run --no-interactive',
        ).ends();
        expect(text).toContain('orders.gateway.ts');
        expect(text).not.toMatch(ROOMS);
        expect(code).toBe(0);
      });
    });

    describe('realtime-event', () => {
      it('asks for the domain, who sends the event, and the event until it fits', async () => {
        const terminal = open('realtime-event --dry-run');
        await enter(terminal, /Of which domain\?[^]*Notification/, /Who sends it\?/);
        await terminal.sees(/Which event\?/);
        terminal.press('read-by{id}', KEYS.enter);
        await terminal.sees(/RT002 .*read\.by or readBy[^]*\^/);
        terminal.press(KEYS.clear, 'read{id,userId}', KEYS.enter);
        await enter(terminal, /What does chat\.read do to the list[^]*none: /);
        const { code, text } = await terminal.ends();
        expect(text).toMatch(/UPDATE .*chats\.contract\.ts/);
        expect(code).toBe(0);
      });

      it('shows the events that there are, to remove one', async () => {
        const terminal = open('realtime-event Chat --remove --dry-run');
        await terminal.sees(/Which event\?[^]*chat\.posted[^]*chat\.say/);
        terminal.press(KEYS.down, KEYS.down, KEYS.enter);
        const { code, text } = await terminal.ends();
        expect(text).toMatch(/DELETE .*chats\.service\.ts/);
        expect(code).toBe(0);
      });

      it('leaves nothing behind after Ctrl-C', async () => {
        const terminal = open('realtime-event Notification');
        await enter(terminal, /Who sends it\?/);
        await terminal.sees(/Which event\?/);
        terminal.press('read{id}', KEYS.ctrlC);
        expect((await terminal.ends()).code).toBe(130);
        expect(host.status()).toEqual([]);
      });
    });

    describe('realtime-remove', () => {
      it('asks for the domain', async () => {
        const terminal = open('realtime-remove --dry-run');
        await terminal.sees(/Which domain is to be removed\?[^]*Notification/);
        terminal.press(KEYS.down, KEYS.enter);
        const { code, text } = await terminal.ends();
        expect(text).toMatch(/DELETE .*notifications\.gateway\.ts/);
        expect(code).toBe(0);
      });
    });

    describe('where there are several apps', () => {
      beforeAll(() => {
        host.write('apps/orders/project.json', '{ "name": "orders" }\n');
        host.write('apps/orders/src/main.ts', host.read('apps/api-gateway/src/main.ts'));
        host.write('apps/shop/project.json', '{ "name": "shop" }\n');
        host.write('apps/shop/next.config.js', 'module.exports = {};\n');
        host.commit('Add orders and shop');
      });

      it('realtime-domain lets choose the app, and the web app or none', async () => {
        const terminal = open('realtime-domain Invoice --dry-run');
        await terminal.sees(/Which Nest app serves it\?[^]*api-gateway[^]*orders/);
        terminal.press(KEYS.down, KEYS.enter);
        await terminal.sees(/Which web app shows it\?[^]*web[^]*shop[^]*none: server only/);
        terminal.press(KEYS.down, KEYS.down, KEYS.enter);
        await enter(terminal, ROOMS, SERVER_EVENTS, CLIENT_EVENTS);
        const { code, text } = await terminal.ends();
        expect(text).toContain('apps/orders/src/realtime/invoices/invoices.gateway.ts');
        expect(text).not.toMatch(/CREATE apps\/(?:web|shop)\//);
        expect(code).toBe(0);
      });

      it('realtime-publisher lets choose the app', async () => {
        const terminal = open('realtime-publisher --dry-run');
        await terminal.sees(/Which Nest app publishes\?[^]*api-gateway[^]*orders/);
        terminal.press(KEYS.down, KEYS.enter);
        const { code, text } = await terminal.ends();
        expect(text).toContain('apps/orders/src/realtime/publisher/realtime-events.ts');
        expect(code).toBe(0);
      });
    });

    const domainFile = (plural: string): unknown =>
      JSON.parse(host.read(`${FOLDER}/${plural}/${plural}.domain.json`));
  });
}
