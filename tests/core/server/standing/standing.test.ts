// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { MAX_STANDING_MS, readStanding, STANDING_KEY, tellStanding } from '#core/server/standing/standing.ts'
import { LOG_PARTITION } from '#core/server/store/log.ts'

function opened() {
  const clock = { now: Date.UTC(2026, 0, 1) }
  const checkpoints = openMemory().table('checkpoints')
  return { clock, ports: { tables: { checkpoints }, now: () => clock.now } }
}

describe('how a home stands', () => {
  it('is unknown until it was told', async () => {
    const { ports, clock } = opened()
    expect(await readStanding(ports, clock.now)).toBeNull()
  })

  it.each([
    { behind: false, logging: true },
    { behind: true, logging: false },
  ])('is read as it was told last: %j', async (standing) => {
    const { ports, clock } = opened()
    await tellStanding(ports, { behind: !standing.behind, logging: !standing.logging })
    await tellStanding(ports, standing)
    expect(await readStanding(ports, clock.now)).toEqual(standing)
  })

  it('is unknown once it is too old, and by a clock that is as far behind', async () => {
    const { ports, clock } = opened()
    await tellStanding(ports, { behind: false, logging: true })
    expect(await readStanding(ports, clock.now + MAX_STANDING_MS)).not.toBeNull()
    expect(await readStanding(ports, clock.now + MAX_STANDING_MS + 1)).toBeNull()
    expect(await readStanding(ports, clock.now - MAX_STANDING_MS - 1)).toBeNull()
  })

  it('is one of those that were told at the same time', async () => {
    const { ports, clock } = opened()
    const told = [true, false].map((behind) => tellStanding(ports, { behind, logging: true }))
    await Promise.all(told)
    expect((await readStanding(ports, clock.now))?.logging).toBe(true)
  })

  it.each(['', '{}', '{"at":"2026-01-01T00:00:00.000Z","behind":false,"logging":true,"v":2}', 'null'])(
    'is refused where its row is %j',
    async (text) => {
      const { ports, clock } = opened()
      await ports.tables.checkpoints.insert(LOG_PARTITION, STANDING_KEY, utf8(text))
      await expect(readStanding(ports, clock.now)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    },
  )
})
