import { ESLintUtils } from '@typescript-eslint/utils';
import type { TSESLint } from '@typescript-eslint/utils';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isPlainWebsocket, isReact } from './libraries.js';

/** What a fault can cost: other people's data or the process; lost events or sockets; upkeep. */
export type Severity = 'high' | 'medium' | 'low';

export type Area = 'authentication' | 'rooms' | 'broker' | 'server' | 'gateway' | 'client';

export interface RuleDocs {
  /** One line, imperative. */
  readonly description: string;
  readonly area: Area;
  readonly severity: Severity;
  /** What goes wrong, in one or two sentences. */
  readonly why: string;
  /** What to write instead, in one or two sentences. */
  readonly remedy: string;
  /** Number in the Common Weakness Enumeration. */
  readonly cwe?: number;
  /** In `recommended` as well as in `strict`. */
  readonly recommended: boolean;
  /** Looks at the other files of the program when the parser has type information. */
  readonly usesProject?: boolean;
  /** Messages that weigh less or more than the rule. */
  readonly severities?: Readonly<Record<string, Severity>>;
}

export type RuleModule = TSESLint.RuleModule<string, readonly unknown[], RuleDocs>;

export const pkg = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

const create = ESLintUtils.RuleCreator<RuleDocs>(
  (name) => `https://unpkg.com/@nx-realtime/eslint-plugin@${pkg.version}/docs/rules/${name}.md`,
);

interface Definition<Options extends readonly unknown[], MessageIds extends string> {
  readonly name: string;
  readonly docs: RuleDocs;
  readonly messages: Record<MessageIds, string>;
  readonly schema?: TSESLint.RuleMetaData<MessageIds>['schema'];
  readonly defaultOptions?: Options;
  readonly fixable?: 'code';
  readonly hasSuggestions?: true;
  /** Files whose text does not match are left alone at no further cost. */
  readonly only: RegExp;
  /** What it says holds for this alone: Socket.IO, not plain websockets; React, not hooks of others. */
  readonly about?: 'socket.io' | 'react';
  readonly create: (
    context: Readonly<TSESLint.RuleContext<MessageIds, Options>>,
    options: Options,
  ) => TSESLint.RuleListener;
}

/** Tests, load tests, scripts and mocks open, refuse and forge what no app may. */
const TEST =
  /(?:^|[\\/])(?:__tests__|__mocks__|tests?|testing|e2e|[\w-]+-e2e|scripts?|(?:load|stress|perf)[-_]?tests?|bench(?:mark)?s?)[\\/]|\.(?:spec|test|e2e|e2e-spec|stories|mock)\.[cm]?[jt]sx?$|(?:^|[\\/])test[-_.][^\\/]*$/;

/** A rule that reads only files in which it can find something. */
export function createRule<
  MessageIds extends string,
  Options extends readonly unknown[] = readonly [],
>(definition: Definition<Options, MessageIds>) {
  const { name, docs, messages, schema, defaultOptions, fixable, hasSuggestions, only, about } =
    definition;
  return create<Options, MessageIds>({
    name,
    meta: {
      type: docs.severity === 'low' ? 'suggestion' : 'problem',
      docs,
      messages,
      schema: schema ?? [],
      ...(fixable && { fixable }),
      ...(hasSuggestions && { hasSuggestions }),
    },
    defaultOptions: (defaultOptions ?? []) as unknown as Options,
    create: (context, options) =>
      only.test(context.sourceCode.text) &&
      !TEST.test(relative(context.cwd, context.filename)) &&
      !(about === 'socket.io' && isPlainWebsocket(context)) &&
      !(about === 'react' && !isReact(context))
        ? definition.create(context, options as unknown as Options)
        : {},
  });
}

/** A gateway, or a class with its handlers. */
export const GATEWAY = /\b(?:WebSocketGateway|SubscribeMessage)\b/;
/** Server side code of Socket.IO. */
export const SERVER =
  /@nestjs\/(?:websockets|platform-socket\.io)|['"]socket\.io['"]|switchToWs|[gG]ateway\b[^]*\.server\b/;
/** Consumers and producers of a broker. */
export const BROKER = /@nestjs\/microservices|@golevelup\/nestjs-rabbitmq|['"]amqp/;
/** Makes a Socket.IO client. */
export const CLIENT = /['"]socket\.io-client['"]/;
