import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { CommandForm, command } from '@web/lib/realtime-example/command-form';
import { type RealtimeServer, startServer, token } from './realtime-server.js';

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

  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.close();
  });

  it('signs in, lists what arrives, shows what no store lists, and signs out', async () => {
    server = await startServer(0, '/chats');
    vi.resetModules();
    vi.stubEnv('NEXT_PUBLIC_API_URL', server.url);
    const { ChatsExample } = await import('@web/features/chats/example/chats-example');
    const { ChatsProvider } = await import('@web/features/chats/realtime/chats-provider');
    render(
      <>
        <ChatsExample />
        <ChatsProvider />
      </>,
    );
    expect(screen.getAllByText('Sign in to see what arrives.')).toHaveLength(2);
    const field = screen.getByLabelText<HTMLInputElement>('Access token');
    expect(field.name).toBe('');
    fireEvent.change(field, { target: { value: ` ${token('alice', 't1')}\n` } });
    fireEvent.submit(screen.getByRole('form', { name: 'Sign in' }));
    await screen.findByText('Connected');

    const meta = (id: string) => ({ id, at: '2026-01-01T00:00:00Z' });
    const chats = server.io.of('/chats');
    chats.emit('message.created', { id: 'm1', body: 'Hello', kind: 'text' }, meta('e1'));
    chats.emit('chat.typing', { userId: 'bob' }, meta('e2'));
    const received = await screen.findByRole('list', { name: 'Received' });
    expect(await within(received).findByText('Hello')).toBeTruthy();
    const others = screen.getByRole('list', { name: 'Other events' });
    expect(await within(others).findByText('bob')).toBeTruthy();
    expect(within(others).getByText('chat.typing')).toBeTruthy();

    fireEvent.click(screen.getByRole('button', { name: 'Sign out' }));
    await screen.findByText('Signed out');
    expect(screen.queryByText('Hello')).toBeNull();
    expect(screen.queryByText('bob')).toBeNull();
    expect(screen.getByLabelText('Access token')).toBeTruthy();
  });
});
