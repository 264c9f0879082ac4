// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { AmpereError } from '#core/errors.ts'
import type { Fetch } from '#core/ports/keys.ts'
import {
  failedAnswer,
  type FailedAnswer,
  type LanguageModel,
  type ModelFailure,
  type ModelQuestion,
} from '#core/ports/language-model.ts'
import { COUNTED, NOT_ONE_JSON, QUESTION, RETRY_AFTER, STATUSES, WHOLE } from './model/cases.ts'
import type { FakeDialect } from './model/fake-dialects.ts'
import { endless, json, reset, silent, startFakeServer, stuck, type FakeServer } from './model/fake-server.ts'

/** An adapter to test, and a fake of the server that it asks. */
export interface ModelSubject {
  readonly name: string
  readonly dialect: FakeDialect
  /** The model at the fake's address; every secret that it is opened with contains `MARK-SECRET`. */
  readonly open: (origin: string, fetch: Fetch) => LanguageModel
}

/** What every adapter of the language-model port promises. */
export function languageModelContract(subject: ModelSubject): void {
  const { dialect } = subject
  describe(`${subject.name}: a language model`, () => {
    const shared: { server?: FakeServer; other?: FakeServer } = {}
    const server = (): FakeServer => {
      if (!shared.server) throw new Error('the fake does not listen')
      return shared.server
    }
    const model = (): LanguageModel => subject.open(server().origin, (request) => fetch(request))
    const never = new AbortController().signal
    const ask = (question = QUESTION, signal = never) => model().answer(question, { signal })

    beforeAll(async () => {
      shared.server = await startFakeServer()
      shared.other = await startFakeServer()
    })
    afterAll(async () => {
      await shared.server?.close()
      await shared.other?.close()
    })

    /** Asks once more than nobody: the failure, after it was seen to be clean and not to have been tried again. */
    const failing = async (asking: Promise<unknown>, failure: ModelFailure): Promise<FailedAnswer> => {
      const error = await asking.then(
        () => null,
        (thrown: unknown) => thrown as AmpereError,
      )
      const why = failedAnswer(error)
      expect({ failure: why?.failure, shown: marksIn(error) }).toEqual({ failure, shown: [] })
      expect(server().received.length).toBeLessThanOrEqual(1)
      return why ?? { failure, usage: null, retryAfterSeconds: null }
    }

    it('is asked the whole question and nothing else, at temperature 0', async () => {
      void server().reply(json(200, dialect.answer(WHOLE)))
      await ask()
      expect(server().received.map(dialect.understand)).toEqual([
        { isAuthorized: true, model: model().model, temperature: 0, ...QUESTION },
      ])
    })

    it('is asked any text, and gives any object, as it is', async () => {
      const text = fc.string({ unit: 'grapheme', maxLength: 60 }).map((tail) => `:${tail}`)
      await fc.assert(
        fc.asyncProperty(text, text, fc.json({ maxDepth: 3 }), async (instructions, input, value) => {
          const said = `{"value":${value}}`
          void server().reply(json(200, dialect.answer({ text: said, end: 'whole' })))
          const answer = await ask({ ...QUESTION, instructions, input })
          expect(answer.value).toEqual(JSON.parse(said))
          expect(server().received.map(dialect.understand)).toMatchObject([
            { isAuthorized: true, instructions, input },
          ])
        }),
        { numRuns: 25 },
      )
    })

    it('gives numbers as JSON.parse reads them, however large, and members of any name', async () => {
      const text =
        '{"a":12345678901234567890,"b":1e400,"c":0.1234567890123456789,"__proto__":{"d":[1e99999999]}}'
      void server().reply(json(200, dialect.answer({ text, end: 'whole' })))
      const { value } = await ask()
      expect(inspect(value, { depth: 9 })).toBe(inspect(JSON.parse(text), { depth: 9 }))
      expect(Object.keys(value as object)).toEqual(['a', 'b', 'c', '__proto__'])
    })

    it('gives JSON that is not of the schema as it is: whoever asks looks', async () => {
      void server().reply(json(200, dialect.answer({ text: '{"surprise":[null]}', end: 'whole' })))
      expect(await ask()).toMatchObject({ value: { surprise: [null] }, usage: COUNTED })
    })

    it('says what it is, and what was counted', async () => {
      expect(model().provider).toMatch(/^[a-z-]+$/)
      void server().reply(json(200, dialect.answer(WHOLE)))
      expect(await ask()).toMatchObject({ model: expect.stringMatching(/^\S+$/), usage: COUNTED })
    })

    it.each([
      ['less than nothing', { input: -1, output: 2 }],
      ['halves', { input: 1, output: 2.5 }],
      ['text', { input: '1', output: '2' }],
      ['more than can be counted', { input: 1e300, output: 2 }],
      ['nothing', { input: undefined, output: undefined }],
    ])('says that nothing is known of the tokens where the server counts %s', async (_, usage) => {
      void server().reply(json(200, dialect.answer({ ...WHOLE, usage })))
      expect(await ask()).toMatchObject({ value: { verdict: 'MARK-ANSWER' }, usage: null })
    })

    it('answers many questions at once without mixing them up', async () => {
      const waiting: (() => void)[] = []
      void server().reply((response, received) => {
        const text = JSON.stringify({ echo: dialect.understand(received).input })
        waiting.push(() => json(200, dialect.answer({ text, end: 'whole' }))(response, received))
        // The last to come is answered first.
        if (waiting.length === 10) for (const answer of waiting.toReversed()) answer()
      })
      const inputs = Array.from({ length: 10 }, (_, i) => `input ${i}`)
      const one = model()
      const answers = await Promise.all(
        inputs.map((input) => one.answer({ ...QUESTION, input }, { signal: never })),
      )
      expect(answers.map(({ value }) => value)).toEqual(inputs.map((echo) => ({ echo })))
    })

    it.each(NOT_ONE_JSON)('has not answered where it wrote %j, which is billed', async (text) => {
      void server().reply(json(200, dialect.answer({ text, end: 'whole' })))
      expect(await failing(ask(), 'malformed')).toMatchObject({ usage: COUNTED })
    })

    it.each([
      ['cut', 'truncated'],
      ['filtered', 'refused'],
    ] as const)('has not answered where its JSON is whole and the answer was %s', async (end, failure) => {
      void server().reply(json(200, dialect.answer({ ...WHOLE, end })))
      expect(await failing(ask(), failure)).toMatchObject({ usage: COUNTED })
    })

    it('tells a refusal of its provider, and a question that is too long, from other errors', async () => {
      void server().reply(json(dialect.filtered.status, dialect.filtered.body))
      await failing(ask(), 'refused')
      void server().reply(json(dialect.tooLong.status, dialect.tooLong.body))
      await failing(ask(), 'too-long')
    })

    it.each(STATUSES)('that answers %d has failed: %s', async (status, failure, code) => {
      for (const body of [
        '{"message":"MARK-ANSWER of MARK-INPUT"}',
        '<p>MARK-ANSWER',
        dialect.answer(WHOLE),
      ]) {
        void server().reply(json(status, body))
        const asking = ask()
        expect(await failing(asking, failure)).toEqual({ failure, usage: null, retryAfterSeconds: null })
        await expect(asking).rejects.toMatchObject({ code })
      }
    })

    it.each(RETRY_AFTER)('that says Retry-After: %s is busy for %s seconds', async (text, seconds) => {
      const headers = {
        date: 'Sun, 06 Nov 1994 08:49:37 GMT',
        ...(text === null ? {} : { 'retry-after': text }),
      }
      for (const [status, failure] of [
        [429, 'busy'],
        [503, 'broken'],
      ] as const) {
        void server().reply(json(status, '{}', headers))
        expect(await failing(ask(), failure)).toMatchObject({ retryAfterSeconds: seconds })
      }
    })

    it.each([
      ['nothing', ''],
      ['no JSON', '<html>MARK-ANSWER'],
      ['half of it', dialect.answer(WHOLE).slice(0, -1)],
      ['null', 'null'],
      ['a list', '[]'],
      ['an empty object', '{}'],
      ['no UTF-8', Buffer.concat([Buffer.from(dialect.answer(WHOLE).slice(0, -2)), Buffer.of(0xff)])],
    ])('has not answered where its server sends %s', async (_, body) => {
      void server().reply(json(200, body))
      await failing(ask(), 'malformed')
    })

    it.each([
      ['says nothing', silent],
      ['begins an answer and stops', stuck(dialect.answer(WHOLE))],
    ])('whose server %s is given up when the signal says so, and hung up on', async (_, reply) => {
      for (const reason of [new DOMException('MARK-INPUT', 'TimeoutError'), undefined]) {
        const stop = new AbortController()
        const replied = server().reply(reply)
        const asking = ask(QUESTION, stop.signal)
        await Promise.race([replied, asking])
        stop.abort(reason)
        await failing(asking, 'late')
        await server().hungUp()
      }
    })

    it('is not asked when the signal was aborted before', async () => {
      void server().reply(json(200, dialect.answer(WHOLE)))
      await failing(ask(QUESTION, AbortSignal.abort()), 'late')
      expect(server().received).toEqual([])
    })

    it('whose connection is reset within an answer cannot be reached', async () => {
      void server().reply(reset(dialect.answer(WHOLE)))
      await failing(ask(), 'unreachable')
    })

    it('whose server does not listen cannot be reached', async () => {
      const gone = await startFakeServer()
      await gone.close()
      const other = subject.open(gone.origin, (request) => fetch(request))
      await failing(other.answer(QUESTION, { signal: never }), 'unreachable')
    })

    it.each([
      ['says that it will send', json(200, Buffer.alloc(1024 * 1024 + 1, ' '))],
      ['sends without an end', endless],
      ['packs', json(200, gzipSync(Buffer.alloc(20 * 1024 * 1024, ' ')), { 'content-encoding': 'gzip' })],
    ])('whose server %s more than is read is cut off', async (_, reply) => {
      void server().reply(reply)
      await failing(ask(), 'oversized')
      await server().hungUp()
    })

    it.each([301, 302, 303, 307, 308])('that answers %d is followed nowhere', async (status) => {
      const { other } = shared
      void other?.reply(json(200, dialect.answer(WHOLE)))
      void server().reply(json(status, '{}', { location: `${other?.origin}/v1/chat/completions` }))
      await failing(ask(), 'unreachable')
      expect(other?.received).toEqual([])
    })

    it('is asked no question that no model can be asked', async () => {
      void server().reply(json(200, dialect.answer(WHOLE)))
      const bad: readonly Partial<ModelQuestion>[] = [
        { instructions: ' \n' },
        { input: '' },
        { schema: { type: 'array' } },
        { schemaName: '' },
        { schemaName: 'a b' },
        { schemaName: 'a'.repeat(65) },
        { maxOutputTokens: 0 },
        { maxOutputTokens: 1.5 },
        { maxOutputTokens: Number.NaN },
      ]
      for (const part of bad)
        await expect(ask({ ...QUESTION, ...part })).rejects.toThrow(
          /^(a question|the schema|the name|an answer)/,
        )
      expect(server().received).toEqual([])
    })
  })
}

/** The marks that are anywhere in an error: its message, its causes, what a library put on it. */
function marksIn(error: unknown): readonly string[] {
  return inspect(error, { depth: 12, showHidden: true, maxStringLength: null }).match(/MARK-[A-Z]+/g) ?? []
}
