// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { BlocksAnswer } from '#core/api/answers.ts'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { AmpereError } from '#core/errors.ts'
import { asBlockId } from '#core/bytes/ids.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import type { RestoreOptions } from '#core/server/restore/restore.ts'
import type { HomeSource } from '#core/server/copy/source.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { entry, eraseTwo, keysIn, mirroredScene, storesOf, type Scene } from './mirrored-scene.ts'

const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
/** A block as nobody signed it, at another height. */
function atHeight(compact: string, height: number): string {
  const [header = '', payload = '', signature = ''] = compact.split('.')
  const text = fromUtf8(fromBase64url(payload)).replace(/"height":\d+/, `"height":${height}`)
  return [header, toBase64url(utf8(text)), signature].join('.')
}
type Hostile = (source: HomeSource) => HomeSource

/** A mirror whose blocks are others. */
const withBlocks =
  (change: (items: string[], chain: string) => string[]): Hostile =>
  (source) => ({
    ...source,
    blocks: async (chain, from) => {
      const page = await source.blocks(chain, from)
      return { ...page, items: change(page.items, chain) }
    },
  })

/** A mirror that brings others than the keys that it was given. */
const withKeys =
  (change: (keys: Awaited<ReturnType<HomeSource['blockKeys']>>) => object): Hostile =>
  (source) => ({
    ...source,
    blockKeys: async (...asked) => {
      const keys = await source.blockKeys(...asked)
      return { ...keys, ...change(keys) }
    },
  })

const CASES: readonly [what: string, rule: string, hostile: Hostile][] = [
  [
    'a key row with another key',
    'keys-root',
    (source) => ({
      ...source,
      keyRow: async (chain, name) => {
        const row = await source.keyRow(chain, name)
        return row && utf8(fromUtf8(row).replace(/"wrapped":"./, '"wrapped":"-'))
      },
    }),
  ],
  ['no key rows', 'keys-row', (source) => ({ ...source, keyRow: async () => null })],
  [
    'an object with a flipped bit',
    'entries-root',
    (source) => ({
      ...source,
      object: async (...asked) => {
        const object = await source.object(...asked)
        return object && flipped(object, object.length - 1)
      },
    }),
  ],
  ['no objects', 'object', (source) => ({ ...source, object: async () => null })],
  [
    'a block with another signature',
    'log-forked',
    withBlocks((items) => items.map((item) => item.replace(/\.[^.]*$/, `.${'A'.repeat(86)}`))),
  ],
  ['chains without their last block', 'tail', withBlocks((items) => items.slice(0, -1))],
  [
    'packages with one left out',
    'packages-root',
    withKeys(({ packages }) => ({ packages: packages.slice(1) })),
  ],
  ['another label key', 'label-key', withKeys(() => ({ labelKey: 'A'.repeat(43) }))],
  [
    'a log with another entry',
    'log-forked',
    (source) => ({
      ...source,
      logFile: async (path) => {
        const bytes = await source.logFile(path)
        return bytes && flipped(bytes, 40)
      },
    }),
  ],
]

describe('a restore from a mirror that is not honest, or behind', () => {
  let scene: Scene
  const older = new Map<string, Uint8Array>()
  const attempt = async (hostile: Hostile = (source) => source, options: Partial<RestoreOptions> = {}) => {
    await scene.lose()
    return scene.restore(options, hostile)
  }
  const published = async () => (await scene.reached.fetch(new Request(`${ORIGIN}/log/checkpoint`))).text()
  const appendTo = async (chain: Scene['other'], text: string) => {
    const { platform, tendLog } = await scene.serve()
    await scene.world.connect('hospital-a', { fetch: scene.reached.fetch }).append(chain, [entry(text)])
    await tendLog()
    return platform
  }

  beforeAll(async () => {
    scene = await mirroredScene()
    await scene.run()
    for (const { key, value } of await scene.copy.tables.wraps.range(scene.record)) older.set(key, value)
    await eraseTwo(scene)
    await scene.world.tendLog()
    await scene.run()
  }, 60_000)
  afterAll(() => scene.close())

  it.each(CASES)('refuses %s by name: %s', async (_, rule, hostile) => {
    const message = expect.stringContaining(`rule ${rule}:`)
    await expect(attempt(hostile)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED', message })
    // Trying again makes nothing good.
    await expect(scene.restore({}, hostile)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED', message })
  })

  it('ends where a mirror pages through a chain without end: in a circle, by one block for ever, or by invented ones', async () => {
    const paging =
      (page: (honest: BlocksAnswer, from: number) => BlocksAnswer): Hostile =>
      (source) => ({ ...source, blocks: async (chain) => page(await source.blocks(chain, 0), asked++) })
    let asked = 0
    const circle = attempt(paging(({ items }) => ({ items, next: 0 })))
    await expect(circle).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    const again = attempt(paging(({ items }, from) => ({ items: items.slice(-1), next: from + 1 })))
    await expect(again).rejects.toMatchObject({ message: expect.stringContaining('rule malformed:') })
    const invented: Hostile = (source) => ({
      ...source,
      blocks: async (chain, from) => {
        if (chain !== scene.other) return source.blocks(chain, from)
        const { items } = await source.blocks(chain, 0)
        if (from === 0) return { items, next: items.length }
        const last = items.at(-1) ?? ''
        return { items: Array.from({ length: 500 }, (_, i) => atHeight(last, from + i)), next: from + 500 }
      },
    })
    const message = expect.stringContaining('without end')
    await expect(attempt(invented)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED', message })
    expect(asked).toBe(2)
  }, 120_000)

  it('refuses a mirror of another home, by its log and by its registry', async () => {
    const none: Hostile = (source) => ({ ...source, registryBlocks: async () => ({ items: [], next: null }) })
    await expect(attempt(none)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const another: Hostile = (source) => ({
      ...source,
      checkpoint: async () =>
        (await source.checkpoint())?.replaceAll('home.test/log', 'other.test/log') ?? null,
    })
    await expect(attempt(another)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' })
  })

  it('erases again what a mirror gives back of before the erasure', async () => {
    const report = await attempt((source) => ({
      ...source,
      keyRow: async (chain, name) => older.get(name) ?? source.keyRow(chain, name),
    }))
    expect(report).toMatchObject({ erasures: 1, losses: [] })
    const { platform } = await scene.serve()
    const keys = await keysIn(storesOf(platform), scene.record)
    expect(keys).toEqual(['wrapped', 'erased', 'erased', 'wrapped'])
  })

  it('goes on without a lost tail where that is accepted, names it, and logs no other block in its place', async () => {
    const { other } = scene
    const cut = withBlocks((items, chain) => (chain === other ? items.slice(0, -2) : items))
    const report = await attempt(cut, { acceptLoss: true })
    expect(report.losses).toEqual([{ chain: other, height: 3, rule: 'tail' }])
    for (const text of ['another in its place', 'and in that of the next']) await appendTo(other, text)
    expect(checkpointIn(await published()).size).toBe(report.logSize)
  })

  it.each(['cosignatures', 'Ed25519', 'cosignature-ML-DSA-44'])(
    'leaves out witnessed checkpoints that lack what readers ask for (%s), names them, and witnesses the blocks anew',
    async (what) => {
      const logKeys = scene.policy.logs.map(({ key }) => key)
      const isLeft = (id: number) => {
        const key = logKeys.find((each) => each.id === id)
        return what === 'cosignatures' ? key !== undefined : key?.type !== what
      }
      const stripped = (note: string) => {
        const { text, signatures } = parseNote(note)
        return formatNote({ text, signatures: signatures.filter(({ id }) => isLeft(id)) })
      }
      const honest = await attempt()
      expect(honest.unwitnessed).toEqual([])
      const report = await attempt((source) => ({
        ...source,
        witnessed: async (from) => {
          const page = await source.witnessed(from)
          return { ...page, items: page.items.map(stripped) }
        },
      }))
      expect(report.unwitnessed.length).toBeGreaterThan(0)
      const { tendLog } = await scene.serve()
      await tendLog()
      const { world, policy, record, reached } = scene
      const a = world.connect('hospital-a', { fetch: reached.fetch, policy })
      const view = await readReceipts(a, await a.replica(record))
      expect(new Set(view?.statuses)).toEqual(new Set(['witnessed']))
    },
  )

  it('refuses a mirror that leaves out a whole record, until that is accepted', async () => {
    const { other } = scene
    const without: Hostile = (source) => ({
      ...source,
      chains: async (from) => {
        const page = await source.chains(from)
        return { ...page, items: page.items.filter(({ chain }) => chain !== other) }
      },
    })
    const message = expect.stringContaining('rule withheld:')
    await expect(attempt(without)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED', message })
    const report = await scene.restore({ acceptLoss: true }, without)
    expect(report).toMatchObject({ losses: [], notHeld: [] })
    expect(report.unexplained).toBeGreaterThan(0)
    const known = new Map([[other, { height: 0, block: asBlockId('A'.repeat(43)) }]])
    await expect(attempt(without, { known })).rejects.toMatchObject({
      message: expect.stringContaining(`rule withheld: chain ${other}`),
    })
  })

  it('goes on where it was when the mirror stopped answering, after whatever call', async () => {
    for (let k = 0, done = false; !done; k += 7) {
      await scene.lose()
      let left = k
      const failing: Hostile = (source) => ({
        ...source,
        ...Object.fromEntries(
          (['blocks', 'keyRow', 'object', 'blockKeys', 'logFile', 'registryBlocks'] as const).map((name) => [
            name,
            (...asked: never[]) => {
              if (left-- === 0) throw new AmpereError('UPSTREAM_FAILED', 'the mirror cannot be reached')
              return (source[name] as (...given: never[]) => unknown)(...asked)
            },
          ]),
        ),
      })
      const first = await scene.restore({}, failing).catch((error: unknown) => error)
      done = left >= 0
      if (!done) expect(first).toMatchObject({ code: 'UPSTREAM_FAILED' })
      expect(await scene.restore()).toMatchObject({ losses: [], chains: 4 })
    }
  }, 60_000)

  it('ends where somebody saw a larger tree of the log than the mirror has', async () => {
    await attempt()
    await appendTo(scene.record, 'after the last run of the mirror')
    const seen = [await published()]
    const message = expect.stringContaining('rule log-ahead:')
    await expect(attempt((source) => source, { seen })).rejects.toMatchObject({ message })
  })
})
