// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { collude, entry, forgery, revokedScene, type RevokedScene } from './revoked-scene.ts'

describe('a revoked key', () => {
  it('is refused whatever head and time it names, as long as the home looks', async () => {
    const at = await revokedScene()
    const past = toTimestamp(at.world.clock.now - 60_000)
    for (const given of [
      { registry: at.newest },
      { registry: at.before },
      { registry: at.before, time: past },
    ]) {
      await expect(at.a.api.append(await forgery(at, given))).rejects.toMatchObject({
        code: expect.stringMatching(/^(VIOLATION|BLOCK_REFUSED)$/),
      })
    }
  })

  it.each([
    ['author', 'the head that revokes it', (at: RevokedScene) => ({ registry: at.newest })],
    ['registry-height', 'the head before', (at: RevokedScene) => ({ registry: at.before })],
    [
      'time',
      'the head before and a time before',
      (at: RevokedScene) => ({ registry: at.before, time: toTimestamp(at.world.clock.now - 60_000) }),
    ],
    [
      'registry-head',
      'a head of its own',
      (at: RevokedScene) => ({ registry: { ...at.before, height: at.newest.height } }),
    ],
  ])('breaks the rule %s with %s, once one block names the head that revokes it', async (rule, _, given) => {
    const at = await revokedScene()
    // One that has just read the registry: a client that has not may name the head before for 300 s.
    await at.world.connect('hospital-a').append(at.record, [entry('two')])
    await collude(at, await forgery(at, given(at)))
    await expect(at.world.connect('hospital-a').read(at.record)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining(`rule ${rule}: block 4`),
    })
    const ports = await select(at.world.platform, AUDITOR_NEEDS)
    const { findings } = await auditChains(ports, at.world.home, listChains(ports))
    expect(findings).toMatchObject([{ height: 4, status: 'tampered', rule }])
  })
})
