'use client';

import type { RealtimeState } from '@nx-realtime/react';
import { type RefObject, useEffect, useId, useRef, useState } from 'react';
import { realtime } from '../realtime/realtime-client';
import { CommandForm, type ExampleCommand } from './command-form';
import styles from './realtime-example.module.css';
import { signIn, useSignedIn } from './sign-in';

interface Received {
  readonly key: string;
  readonly event: string;
  readonly payload: object;
}

/** The latest of the events that no store lists. */
export function useReceived() {
  const [received, setReceived] = useState<readonly Received[]>([]);
  useEffect(() => realtime.onUserChange(() => setReceived([])), []);
  const add = (event: string, payload: object) =>
    setReceived((held) => {
      const key = String(Number(held[0]?.key ?? 0) + 1);
      return [{ key, event, payload }, ...held].slice(0, 50);
    });
  return [received, add] as const;
}

interface Subscription {
  readonly resource: string;
  readonly follow: (resource: string) => void;
  readonly subscribed: boolean;
  readonly subscriptionError: RealtimeState['error'];
}

interface RealtimeExampleProps {
  readonly title: string;
  readonly connection: RealtimeState;
  /** What the store lists, newest first. */
  readonly items?: readonly { readonly id: string }[];
  readonly received?: readonly Received[];
  readonly commands?: readonly ExampleCommand[];
  readonly subscription?: Subscription;
}

/** A page that shows one domain at work; not meant for production. */
export function RealtimeExample({
  title,
  connection,
  items,
  received,
  commands = [],
  subscription,
}: RealtimeExampleProps) {
  const signedIn = useSignedIn();
  const connected = connection.status === 'connected';
  const asksForToken = !signedIn || connection.status === 'refused';
  const empty = signedIn
    ? EMPTY_TEXTS[connection.status]
    : 'Sign in to see what arrives.';
  const heading = useRef<HTMLHeadingElement>(null);
  const tokenInput = useRef<HTMLInputElement>(null);
  const hasPressed = useRef(false);
  const changeToken = (token: string | null) => {
    hasPressed.current = true;
    signIn(token);
  };
  // The button that was pressed goes away, and would take the focus along.
  useEffect(() => {
    const { activeElement, body } = document;
    const isFree = activeElement === body || activeElement === heading.current;
    if (!hasPressed.current || !isFree) return;
    (tokenInput.current ?? heading.current)?.focus();
  }, [asksForToken]);
  return (
    <div ref={markAsMain} className={styles.page}>
      <div className={styles.header}>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <ConnectionStatus {...connection} />
        {signedIn && (
          <button type="button" onClick={() => changeToken(null)}>
            Sign out
          </button>
        )}
      </div>
      {asksForToken && <SignIn input={tokenInput} onToken={changeToken} />}
      <div className={styles.columns}>
        <div>
          {subscription && <Subscribe {...subscription} />}
          {items && (
            <List
              title="Received"
              entries={items.map((item) => ({ key: item.id, payload: item }))}
              empty={empty}
            />
          )}
          {received && (
            <List title="Other events" entries={received} empty={empty} />
          )}
        </div>
        {commands.length > 0 && (
          <section>
            <h2>Send</h2>
            {commands.map((command) => (
              <CommandForm
                key={command.event}
                command={command}
                connected={connected}
              />
            ))}
          </section>
        )}
      </div>
    </div>
  );
}

/** A page has one main landmark: this one, unless a layout around it is. */
function markAsMain(page: HTMLElement | null): void {
  const layout = page?.parentElement?.closest('main, [role="main"]');
  if (!layout) page?.setAttribute('role', 'main');
}

const STATUS_TEXTS = {
  idle: 'Signed out',
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  refused: 'Refused',
} as const;

const EMPTY_TEXTS = {
  idle: 'Not connected.',
  connecting: 'Connecting…',
  connected: 'Nothing has arrived yet.',
  reconnecting: 'Reconnecting…',
  refused: 'Sign in again to see what arrives.',
} as const;

/** The state of a connection in words, as every hook returns it. */
export function ConnectionStatus({ status, error }: RealtimeState) {
  return (
    <p role="status" data-status={status}>
      <strong>{STATUS_TEXTS[status]}</strong>
      {error && (
        <span>
          {error.code}: {error.message}
        </span>
      )}
    </p>
  );
}

function SignIn({
  input,
  onToken,
}: {
  readonly input: RefObject<HTMLInputElement | null>;
  readonly onToken: (token: string | null) => void;
}) {
  const id = useId();
  return (
    <form
      className={styles.card}
      aria-label="Sign in"
      onSubmit={(submission) => {
        submission.preventDefault();
        onToken(input.current?.value.trim() || null);
      }}
    >
      <div className={styles.field}>
        <label htmlFor={id}>Access token</label>
        {/* Without a name: no form that is sent too early carries it. */}
        <input
          ref={input}
          id={id}
          type="password"
          autoComplete="off"
          aria-describedby={`${id}-hint`}
          required
        />
      </div>
      <button>Sign in</button>
      <p id={`${id}-hint`}>
        In development: <code>npx nx-realtime token</code>
      </p>
    </form>
  );
}

function Subscribe({
  resource,
  follow,
  subscribed,
  subscriptionError,
}: Subscription) {
  const id = useId();
  return (
    <form
      className={styles.card}
      aria-label="Subscribe"
      onSubmit={(submission) => {
        submission.preventDefault();
        const text = new FormData(submission.currentTarget).get('resource');
        follow(String(text).trim());
      }}
    >
      <div className={styles.field}>
        <label htmlFor={id}>Id of what to subscribe to</label>
        <input id={id} name="resource" autoComplete="off" required />
      </div>
      <button>Subscribe</button>
      <p role="status" data-state={subscriptionError ? 'failed' : 'done'}>
        {subscribed && `Subscribed to ${resource}.`}
        {subscriptionError &&
          `${subscriptionError.code}: ${subscriptionError.message}`}
      </p>
    </form>
  );
}

interface Entry {
  readonly key: string;
  readonly event?: string;
  readonly payload: object;
}

function List({
  title,
  entries,
  empty,
}: {
  readonly title: string;
  readonly entries: readonly Entry[];
  readonly empty: string;
}) {
  const id = useId();
  return (
    <section>
      <h2 id={id}>{title}</h2>
      {entries.length === 0 && <p className={styles.empty}>{empty}</p>}
      {/* A log is announced: each entry as it arrives, not the list again. */}
      <div role="log" aria-labelledby={id}>
        <ul aria-labelledby={id}>
          {entries.map(({ key, ...entry }) => (
            <ListItem key={key} {...entry} />
          ))}
        </ul>
      </div>
    </section>
  );
}

const HEADLINES = ['message', 'title', 'text', 'body', 'subject', 'name', 'id'];

function ListItem({ event, payload }: Omit<Entry, 'key'>) {
  const fields = Object.entries(payload);
  const headline = HEADLINES.find((name) => name in payload);
  const details = fields.filter(([name]) => name !== headline);
  const value = fields.find(([name]) => name === headline)?.[1];
  return (
    <li className={styles.card}>
      {event && <code>{event}</code>}
      {headline && <strong>{textOf(value)}</strong>}
      {details.length > 0 && (
        <dl>
          {details.map(([name, detail]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{textOf(detail)}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
