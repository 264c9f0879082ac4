// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { failAt, killAfter, withFaults } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { ErrorCode } from '#core/errors.ts'
import type { LanguageModel } from '#core/ports/language-model.ts'
import type { Platform } from '#core/ports/needs.ts'

/** A model that is a constant. */
const CONSTANT: LanguageModel = {
  provider: 'constant',
  model: 'constant',
  isExternal: false,
  answer: async () => ({ value: {}, model: 'constant', build: null, usage: null }),
}
const QUESTION = { instructions: 'i', input: 'i', schema: {}, schemaName: 's', maxOutputTokens: 1 }

function openWithModel(): Platform {
  return { ...openMemory(), languageModel: async () => CONSTANT }
}

/** One call of everything that a platform offers. */
async function everything(platform: Platform): Promise<void> {
  const table = platform.table('blocks')
  await table.insert('p', 'k', new Uint8Array(1))
  await table.get('p', 'k')
  await table.range('p')
  await table.swap('p', 'k', null, null)
  const objects = platform.objects('originals')
  await objects.store('k', new Uint8Array(1))
  await objects.fetch('k')
  await objects.shred('k')
  await (await platform.signer('head')).sign(new Uint8Array(1))
  const unwrapper = await platform.unwrapper('sealing')
  await unwrapper.unwrap(await unwrapper.wrap(new Uint8Array(32)))
  const model = await platform.languageModel?.()
  await model?.answer(QUESTION, { signal: new AbortController().signal })
}

const EVERY_CALL = [
  'table.blocks.insert',
  'table.blocks.get',
  'table.blocks.range',
  'table.blocks.swap',
  'objects.originals.store',
  'objects.originals.fetch',
  'objects.originals.shred',
  'key.head.sign',
  'key.sealing.wrap',
  'key.sealing.unwrap',
  'model.answer',
]

function codeOf(name: string): ErrorCode {
  if (name.startsWith('model.')) return 'UPSTREAM_FAILED'
  return name.startsWith('key.') ? 'KEY_UNAVAILABLE' : 'STORE_UNAVAILABLE'
}

describe('a platform that counts', () => {
  it('counts every call once, under its name, until it is reset', async () => {
    const { platform, counts, reset } = countCalls(openWithModel())
    await everything(platform)
    expect(counts()).toEqual(Object.fromEntries(EVERY_CALL.map((name) => [name, 1])))
    await platform.table('blocks').get('p', 'k')
    expect(counts()).toMatchObject({ 'table.blocks.get': 2 })
    reset()
    expect(counts()).toEqual({})
  })
})

describe('a platform that fails as planned', () => {
  it('traces every call, those that fail included', async () => {
    const { platform, plan, calls } = withFaults(openWithModel())
    plan(() => null)
    await everything(platform)
    expect(calls()).toEqual(EVERY_CALL)
    plan(failAt(2, 'not-applied'))
    await expect(everything(platform)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(calls()).toEqual(EVERY_CALL.slice(0, 3))
  })

  it.each(EVERY_CALL.map((name, k) => ({ name, k })))(
    'can let $name fail, and no other call',
    async ({ name, k }) => {
      const code = codeOf(name)
      for (const fault of ['not-applied', 'applied-unknown', 'delayed'] as const) {
        const { platform, plan, calls } = withFaults(openWithModel())
        plan(failAt(k, fault))
        await expect(everything(platform)).rejects.toMatchObject({ code })
        expect(calls()).toHaveLength(k + 1)
      }
    },
  )

  it('has no model where the platform has none', async () => {
    const { platform } = withFaults({ ...openMemory(), languageModel: async () => null })
    expect(await platform.languageModel?.()).toBeNull()
    expect(withFaults(openMemory()).platform.languageModel).toBeUndefined()
  })

  it('can do nothing any more after a call, as if its process had been killed', async () => {
    const { platform, plan } = withFaults(openMemory())
    const table = platform.table('blocks')
    plan(killAfter(0))
    await table.insert('p', 'before', new Uint8Array(1))
    for (const key of ['after', 'long after'])
      await expect(table.insert('p', key, new Uint8Array(1))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      })
    plan(() => null)
    expect((await table.range('p')).map(({ key }) => key)).toEqual(['before'])
  })

  it('does what it delayed once, in order, when it is told to', async () => {
    const { platform, plan, deliver } = withFaults(openMemory())
    const table = platform.table('blocks')
    plan(() => 'delayed')
    for (const value of [1, 2])
      await expect(table.insert('p', 'k', Uint8Array.of(value))).rejects.toBeDefined()
    plan(() => null)
    expect(await table.get('p', 'k')).toBeNull()
    await deliver()
    const row = await table.get('p', 'k')
    expect(row?.value).toEqual(Uint8Array.of(1))
    await table.swap('p', 'k', row?.version ?? null, null)
    await deliver()
    expect(await table.get('p', 'k')).toBeNull()
  })
})
