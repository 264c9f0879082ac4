// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { logOriginOf } from '#core/api/log.ts'
import { verifyServed } from '#core/server/audit/log/verify-served.ts'
import { newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { growTo, logged, type Logged } from './logged.ts'

describe('a log as its readers can verify it', () => {
  let at: Logged
  beforeAll(async () => {
    at = await logged()
    await growTo(at, await newChain(at.world), 300, 150)
  })

  const verify = async (keys = at.trust.keys) =>
    verifyServed({
      origin: logOriginOf(at.world.home.origin),
      note: await at.stored.read('checkpoints/log/published'),
      fetch: (path) => at.world.platform.objects('log').fetch(path),
      keys,
      verifiers: at.world.home.verifiers,
      progress: () => {},
    })

  it('has nothing wrong with it, and needs no row or block', async () => {
    expect(await verify()).toEqual({ size: 300, findings: [] })
  })

  it.each(['tile/0/000', 'tile/0/001.p/44', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/44'])(
    'is found out where %s is changed or gone',
    async (name) => {
      const bytes = await at.stored.read(name)
      if (!bytes) throw new Error(`nothing is stored as ${name}`)
      for (const damaged of [null, Uint8Array.from(bytes, (byte, i) => (i === 7 ? byte ^ 8 : byte))]) {
        await at.stored.write(name, damaged)
        const { findings } = await verify()
        expect(findings).toContainEqual(expect.objectContaining({ where: name }))
      }
      await at.stored.write(name, bytes)
    },
  )

  it('is found out where the checkpoint is another, is gone, or is not signed by a key that is trusted', async () => {
    const name = 'checkpoints/log/published'
    const bytes = await at.stored.read(name)
    if (!bytes) throw new Error('nothing is published')
    await at.stored.write(name, null)
    expect((await verify()).findings).toMatchObject([
      { rule: 'published-row', status: 'missing', where: 'checkpoint' },
    ])
    await at.stored.write(
      name,
      Uint8Array.from(bytes, (byte, i) => (i === 30 ? byte ^ 1 : byte)),
    )
    expect((await verify()).findings).toMatchObject([{ rule: 'published-row', status: 'tampered' }])
    await at.stored.write(name, bytes)
    const others = at.trust.keys.map((key) => ({ ...key, id: key.id ^ 1 }))
    expect((await verify(others)).findings).toMatchObject([{ rule: 'published-row', status: 'tampered' }])
  })
})
