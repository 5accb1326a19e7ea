import { act, cleanup, configure, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { CommandForm, command } from '@web/lib/realtime-example/command-form';
import { type RealtimeServer, startServer, token } from './realtime-server.js';

configure({ asyncUtilTimeout: 10_000 });

afterEach(cleanup);

const schema = z.strictObject({
  text: z.string(),
  count: z.int().optional(),
  ratio: z.number().optional(),
  loud: z.boolean(),
  at: z.iso.datetime({ offset: true }).optional(),
  mood: z.enum(['happy', 'sad']).optional(),
  tags: z.array(z.string()).optional(),
  extra: z.json().optional(),
  ref: z.uuid().optional(),
});

describe('the form of a client event', () => {
  let sent: unknown[];
  let answer: () => Promise<unknown>;

  beforeEach(() => {
    sent = [];
    answer = () => Promise.resolve(null);
  });

  const show = (connected = true) => {
    const send = (payload: unknown) => {
      sent.push(payload);
      return answer();
    };
    return render(
      <CommandForm command={command('chat.say', schema, send)} connected={connected} />,
    );
  };
  const fill = (label: RegExp, value: string) =>
    fireEvent.change(screen.getByLabelText(label), { target: { value } });
  const submit = () => act(async () => fireEvent.submit(screen.getByRole('form')));
  const said = () => screen.getByRole('status').textContent;

  it('sends what was filled in, each field as its type, and leaves out the rest', async () => {
    show();
    fill(/^text/, 'Hi');
    await submit();
    fill(/^text/, '7');
    fill(/^count/, '7');
    fill(/^ratio/, '1.5');
    fireEvent.click(screen.getByLabelText('loud'));
    fill(/^at/, '2026-01-02T03:04');
    fill(/^mood/, 'sad');
    fill(/^tags/, '["a", "b"]');
    fill(/^extra/, '{"deep": [null]}');
    await submit();

    expect(sent).toEqual([
      { text: 'Hi', loud: false },
      {
        text: '7',
        count: 7,
        ratio: 1.5,
        loud: true,
        at: new Date('2026-01-02T03:04').toISOString(),
        mood: 'sad',
        tags: ['a', 'b'],
        extra: { deep: [null] },
      },
    ]);
    expect(said()).toBe('Acknowledged.');
    expect(screen.getByLabelText<HTMLInputElement>(/^text/).value).toBe('');
  });

  it('sends nothing that is not JSON, or against the contract, and keeps what was filled in', async () => {
    show();
    fill(/^text/, 'Hi');
    fill(/^tags/, '["a"');
    await submit();
    expect(said()).toContain('tags is not JSON');
    fill(/^tags/, '');
    fill(/^ref/, 'no-uuid');
    await submit();
    expect(said()).toContain('Invalid UUID');
    expect(sent).toEqual([]);
    expect(screen.getByLabelText<HTMLInputElement>(/^text/).value).toBe('Hi');
  });

  it('shows what the server answers, and why it refused', async () => {
    answer = () => Promise.resolve({ stored: 'm1' });
    show();
    fill(/^text/, 'Hi');
    await submit();
    expect(said()).toBe('Acknowledged: {"stored":"m1"}');
    answer = () => Promise.reject(Object.assign(new Error('Slow down'), { code: 'RATE_LIMITED' }));
    fill(/^text/, 'Hi');
    await submit();
    expect(said()).toBe('RATE_LIMITED: Slow down');
  });

  it('cannot be sent while there is no connection', () => {
    show(false);
    expect(screen.getByRole<HTMLButtonElement>('button').disabled).toBe(true);
    expect(said()).toBe('Not connected.');
  });
});

describe('an example page', () => {
  let server: RealtimeServer;

  beforeEach(async () => {
    server = await startServer(0, '/chats');
    vi.stubEnv('NEXT_PUBLIC_REALTIME_URL', server.url);
  });

  afterEach(async () => {
    sessionStorage.clear();
    vi.unstubAllEnvs();
    await server.close();
  });

  /** As after a load of the page: every module is new. */
  const show = async (container?: HTMLElement) => {
    cleanup();
    vi.resetModules();
    const { ChatsExample } = await import('@web/features/chats/example/chats-example');
    const { ChatsProvider } = await import('@web/features/chats/realtime/chats-provider');
    render(
      <>
        <ChatsExample />
        <ChatsProvider />
      </>,
      { ...(container && { container }) },
    );
  };
  const input = () => screen.getByLabelText<HTMLInputElement>('Access token');
  const button = (name: string) => screen.getByRole('button', { name });
  /** As a person does, by the keyboard. */
  const press = (name: string) => {
    button(name).focus();
    fireEvent.click(button(name));
  };
  const signIn = (accessToken: string) => {
    fireEvent.change(input(), { target: { value: ` ${accessToken}\n` } });
    press('Sign in');
  };

  it('signs in, lists what arrives, shows what no store lists, and signs out', async () => {
    await show();
    expect(screen.getAllByText('Sign in to see what arrives.')).toHaveLength(2);
    expect(input().name).toBe('');
    signIn(token('alice', 't1'));
    await screen.findByText('Connected');

    const meta = (id: string) => ({ id, at: '2026-01-01T00:00:00Z' });
    const chats = server.io.of('/chats');
    chats.emit('message.created', { id: 'm1', body: 'Hello', kind: 'text' }, meta('e1'));
    chats.emit('chat.typing', { userId: 'bob' }, meta('e2'));
    // A log: assistive technology announces what is added to it.
    const received = within(screen.getByRole('log', { name: 'Received' })).getByRole('list');
    expect(await within(received).findByText('Hello')).toBeTruthy();
    const others = within(screen.getByRole('log', { name: 'Other events' })).getByRole('list');
    expect(await within(others).findByText('bob')).toBeTruthy();
    expect(within(others).getByText('chat.typing')).toBeTruthy();

    press('Sign out');
    await screen.findByText('Signed out');
    expect(screen.queryByText('Hello')).toBeNull();
    expect(screen.queryByText('bob')).toBeNull();
    expect(input()).toBeTruthy();
  });

  it('leaves the focus on the page when the button that had it goes away', async () => {
    await show();
    expect(document.activeElement).toBe(document.body);
    signIn(token('alice', 't1'));
    await screen.findByText('Connected');
    expect(document.activeElement).toBe(screen.getByRole('heading', { level: 1 }));
    press('Sign out');
    await screen.findByText('Signed out');
    expect(document.activeElement).toBe(input());
  });

  it('asks again where the token is refused, also for the same one', async () => {
    let isOpen = false;
    server.io.of('/chats').use((_socket, next) => {
      const refusal = Object.assign(new Error('Unauthorized'), { data: { code: 'UNAUTHORIZED' } });
      next(isOpen ? undefined : refusal);
    });
    await show();
    signIn(token('alice', 't1'));
    await screen.findByText('UNAUTHORIZED: Unauthorized');
    expect(document.activeElement).toBe(input());

    isOpen = true;
    signIn(token('alice', 't1'));
    await screen.findByText('Connected');
    expect(screen.queryByLabelText('Access token')).toBeNull();
  });

  it('is the main landmark, where the layout around it is none', async () => {
    await show();
    expect(screen.getByRole('main').contains(input())).toBe(true);
    const layout = document.body.appendChild(document.createElement('main'));
    await show(layout);
    expect(screen.getAllByRole('main')).toEqual([layout]);
    layout.remove();
  });

  it('keeps the token over a reload in development, until somebody signs out', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    await show();
    signIn(token('alice', 't1'));
    await screen.findByText('Connected');
    await show();
    await screen.findByText('Connected');
    press('Sign out');
    await screen.findByText('Signed out');
    await show();
    expect(input()).toBeTruthy();
    expect(sessionStorage.length).toBe(0);
  });

  it('keeps no token in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    await show();
    signIn(token('alice', 't1'));
    await screen.findByText('Connected');
    expect(sessionStorage.length).toBe(0);
  });
});
