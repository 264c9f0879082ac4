// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults, type Fault } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ErrorCode } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { type Opened, type Subject } from './subject.ts'

/** Every call of every port, each on a name of its own. */
const CALLS: readonly {
  readonly name: string
  readonly run: (p: Platform, id: string) => Promise<unknown>
}[] = [
  { name: 'table.wraps.get', run: (p, id) => p.table('wraps').get('faults', id) },
  { name: 'table.wraps.range', run: (p) => p.table('wraps').range('faults') },
  { name: 'table.wraps.insert', run: (p, id) => p.table('wraps').insert('faults', id, utf8('x')) },
  { name: 'table.wraps.swap', run: (p, id) => p.table('wraps').swap('faults', id, null, utf8('x')) },
  { name: 'objects.entries.fetch', run: (p, id) => p.objects('entries').fetch(`faults/${id}`) },
  { name: 'objects.entries.store', run: (p, id) => p.objects('entries').store(`faults/${id}`, utf8('x')) },
  { name: 'objects.entries.shred', run: (p, id) => p.objects('entries').shred(`faults/${id}`) },
  {
    name: 'uploads.offer',
    run: async (p, id) =>
      p.uploads?.offer(id, { bytes: 1, sha256: 'A'.repeat(43), expiresMs: p.now() + 60_000 }),
  },
  { name: 'key.instance.sign', run: async (p) => (await p.signer('instance')).sign(utf8('x')) },
  { name: 'key.sealing.wrap', run: async (p) => (await p.unwrapper('sealing')).wrap(new Uint8Array(32)) },
  {
    name: 'key.sealing.unwrap',
    run: async (p) => {
      const unwrapper = await p.unwrapper('sealing')
      return unwrapper.unwrap(await unwrapper.wrap(new Uint8Array(32)))
    },
  },
]
const FAULTS = ['not-applied', 'applied-unknown'] as const satisfies readonly Fault[]
/** What comes first when a call is delayed: nothing, or another call to the same end. */
const MEANWHILE = ['nothing', 'another'] as const

/** The same adapter, after every kind of its calls has failed in every way. */
export function afterFaults(subject: Subject): Subject {
  const fail = async (base: Platform): Promise<Platform> => {
    const { platform, plan } = withFaults(base)
    for (const { name, run } of CALLS) {
      if (name === 'uploads.offer' && !base.uploads) continue
      for (const fault of FAULTS) {
        plan((_, called) => (called === name ? fault : null))
        await expect(run(platform, `${name}-${fault}`)).rejects.toMatchObject({ code: codeOf(name) })
      }
    }
    plan(() => null)
    return platform
  }
  const open = async (): Promise<Opened> => {
    const { platform, reopen } = await subject.open()
    return { platform: await fail(platform), reopen: async () => fail(await reopen()) }
  }
  return { ...subject, name: `${subject.name}, after every call has failed`, open }
}

/** What a failed call means for each port: nothing was done, or it was done and can be found. */
export function faultsContract(subject: Subject): void {
  describe(`${subject.name}: a call that fails`, () => {
    const faulty = async (name: string, fault: Fault, act: (p: Platform) => Promise<unknown>) => {
      const { platform, plan } = withFaults((await subject.open()).platform)
      plan((_, called) => (called === name ? fault : null))
      await expect(act(platform)).rejects.toMatchObject({ code: codeOf(name) })
      plan(() => null)
      return platform
    }

    it.each(FAULTS)('%s leaves a table as it was or as it was to be, and can be repeated', async (fault) => {
      const insert = (p: Platform) => p.table('blocks').insert('p', 'k', utf8('v'))
      const inserted = await faulty('table.blocks.insert', fault, insert)
      const row = await inserted.table('blocks').get('p', 'k')
      expect(row?.value ?? null).toEqual(fault === 'not-applied' ? null : utf8('v'))
      expect(await insert(inserted)).toBe(fault === 'not-applied' ? 'inserted' : 'exists')
      await inserted.close()
      const swap = (p: Platform) => p.table('wraps').swap('p', 'k', null, utf8('v'))
      const swapped = await faulty('table.wraps.swap', fault, swap)
      expect((await swap(swapped)) === null).toBe(fault === 'applied-unknown')
      expect((await swapped.table('wraps').get('p', 'k'))?.value).toEqual(utf8('v'))
      await swapped.close()
    })

    it.each(FAULTS)(
      '%s leaves an object as it was or as it was to be, and can be repeated',
      async (fault) => {
        const store = (p: Platform) => p.objects('entries').store('k', new Uint8Array(300_000))
        const platform = await faulty('objects.entries.store', fault, store)
        expect(await store(platform)).toBe(fault === 'not-applied' ? 'stored' : 'exists')
        expect(await platform.objects('entries').fetch('k')).toHaveLength(300_000)
        await platform.close()
      },
    )

    it.each(MEANWHILE)('delayed, compares what is there when it is done: %s', async (meanwhile) => {
      const { platform, plan, deliver } = withFaults((await subject.open()).platform)
      const table = platform.table('wraps')
      const objects = platform.objects('entries')
      const first = await table.swap('p', 'swapped', null, utf8('0'))
      const acts = (value: string): readonly (() => Promise<unknown>)[] => [
        () => table.insert('p', 'inserted', utf8(value)),
        () => table.swap('p', 'swapped', first, utf8(value)),
        () => objects.store('stored', utf8(value)),
      ]
      plan(() => 'delayed')
      for (const act of acts('late')) await expect(act()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      plan(() => null)
      expect((await table.range('p')).map(({ value }) => value)).toEqual([utf8('0')])
      if (meanwhile === 'another') for (const act of acts('early')) await act()
      await deliver()
      const value = utf8(meanwhile === 'another' ? 'early' : 'late')
      expect((await table.range('p')).map((row) => row.value)).toEqual([value, value])
      expect(await objects.fetch('stored')).toEqual(value)
      await platform.close()
    })
  })
}

function codeOf(name: string): ErrorCode {
  return name.startsWith('key.') ? 'KEY_UNAVAILABLE' : 'STORE_UNAVAILABLE'
}
