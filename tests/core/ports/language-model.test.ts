// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import { AmpereError } from '#core/errors.ts'
import { askingFailed, failedAnswer, type LanguageModel } from '#core/ports/language-model.ts'
import { select, type Needs, type Ports } from '#core/ports/needs.ts'

const NONE = { tables: {}, objects: {}, keys: {} } as const satisfies Needs
const ASKS = { ...NONE, model: 'ask' } as const satisfies Needs

const model: LanguageModel = {
  provider: 'none',
  model: 'none',
  isExternal: false,
  answer: async () => {
    throw askingFailed('unreachable')
  },
}

describe('the need of a language model', () => {
  it('gives the model that is configured, and null where none is', async () => {
    const platform = openMemory()
    expect((await select(platform, ASKS)).model).toBeNull()
    expect((await select({ ...platform, languageModel: async () => null }, ASKS)).model).toBeNull()
    expect((await select({ ...platform, languageModel: async () => model }, ASKS)).model).toBe(model)
  })

  it('is the only way to one: a role without it has none, and code that asks does not compile', async () => {
    const ports: Ports<typeof NONE> = await select(
      { ...openMemory(), languageModel: async () => model },
      NONE,
    )
    // @ts-expect-error the role does not need it
    expect(ports.model).toBeUndefined()
  })

  it('gives ports that do for a role that needs less', async () => {
    const less = (ports: Ports<typeof NONE>) => ports.now()
    expect(less(await select({ ...openMemory({ now: () => 5 }) }, ASKS))).toBe(5)
  })
})

describe('a call of a language model that failed', () => {
  it('says why beside its code, with what it cost and when to ask again', () => {
    const usage = { inputTokens: 9, outputTokens: 1 }
    const error = askingFailed('truncated', { usage })
    expect(error.code).toBe('UPSTREAM_FAILED')
    expect(failedAnswer(error)).toEqual({ failure: 'truncated', usage, retryAfterSeconds: null })
    expect(failedAnswer(askingFailed('busy', { retryAfterSeconds: 3 }))).toMatchObject({
      retryAfterSeconds: 3,
    })
  })

  it('is no other error', () => {
    const others = [
      null,
      new Error('no', { cause: { failure: 'busy' } }),
      new AmpereError('UPSTREAM_FAILED', 'another service'),
      new AmpereError('UPSTREAM_FAILED', 'another service', { cause: { failure: 'toString' } }),
      new AmpereError('UPSTREAM_FAILED', 'another service', { cause: 'busy' }),
    ]
    expect(others.map(failedAnswer)).toEqual(others.map(() => null))
  })
})
