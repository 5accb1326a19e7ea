import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import * as parser from '@typescript-eslint/parser';
import { RuleTester } from '@typescript-eslint/rule-tester';
import type { RuleTester as CoreRuleTester } from 'eslint';
import { rules } from '../../src/index.js';

export interface Invalid {
  readonly code: string;
  /** Message ids, in the order of the findings. */
  readonly errors: readonly string[];
  /** What `--fix` makes of it; absent where nothing is repaired. */
  readonly output?: string;
  /** By position of the error, what its one suggestion makes of it. */
  readonly suggestions?: Readonly<Record<number, { messageId: string; output: string }>>;
  readonly options?: readonly unknown[];
  readonly filename?: string;
}

export interface Cases {
  readonly valid: readonly (
    string | { code: string; options?: readonly unknown[]; filename?: string }
  )[];
  readonly invalid: readonly Invalid[];
}

RuleTester.afterAll = afterAll;
RuleTester.describe = describe;
RuleTester.it = it;
RuleTester.itOnly = it.only;

const languageOptions = { parser, parserOptions: { ecmaFeatures: { jsx: true } } };

const next = createRequire(resolve(import.meta.dirname, '../../../../e2e/eslint10/package.json'))(
  'eslint',
) as { RuleTester: typeof CoreRuleTester; Linter: { version: string } };
Object.assign(next.RuleTester, { describe, it, itOnly: it.only });

/** Runs the cases of one rule under both supported majors of ESLint. */
export function testRule(name: string, cases: Cases): void {
  const rule = rules[name];
  if (!rule) throw new Error(`No rule ${name}`);
  const filename = 'src/file.tsx';
  const tests = {
    valid: cases.valid.map((entry) =>
      typeof entry === 'string' ? { code: entry, filename } : { filename, ...entry },
    ),
    invalid: cases.invalid.map(({ code, errors, output, suggestions = {}, options, ...rest }) => ({
      code,
      filename,
      ...rest,
      output: output ?? null,
      ...(options && { options }),
      errors: errors.map((messageId, index) => ({
        messageId,
        ...(suggestions[index] && { suggestions: [suggestions[index]] }),
      })),
    })),
  };
  describe('ESLint 9', () =>
    new RuleTester({ languageOptions }).run(name, rule as never, tests as never));
  describe('ESLint 10', () => {
    expect(next.Linter.version).toMatch(/^10\./);
    new next.RuleTester({ languageOptions }).run(name, rule as never, tests as never);
  });
}

/** A gateway with members, as most are written. */
export const gateway = (members: string, options = `{ namespace: '/chat' }`): string => `
import { UseGuards, UsePipes, Logger } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { JwtService } from '@nestjs/jwt';
import { Server, Socket } from 'socket.io';

@WebSocketGateway(${options})
export class ChatGateway {
  @WebSocketServer() io: Server;
  ${members}
}
`;

/** A consumer of RabbitMQ with members. */
export const consumer = (members: string): string => `
import { Controller, UseFilters, UseInterceptors } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';

@Controller()
export class OrdersConsumer {
  ${members}
}
`;
