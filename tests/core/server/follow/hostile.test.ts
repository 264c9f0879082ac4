// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { dropFork } from '#core/server/follow/rows.ts'
import { REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { enrolment, followedWorld, nextBlock, type FollowedWorld } from './followed-world.ts'

let at: FollowedWorld
beforeEach(async () => {
  at = await followedWorld()
})

const stored = async ({ platform }: Pick<FollowedWorld, 'platform'>) =>
  (await platform.table('registry').range(REGISTRY_PARTITION)).map(({ value }) =>
    Buffer.from(value).toString(),
  )

/** A home of a registry that shows these blocks. */
function showing(blocks: readonly string[]): Fetch {
  return async ({ url }) => {
    const { searchParams } = new URL(url)
    const [from, limit] = [Number(searchParams.get('from')), Number(searchParams.get('limit'))]
    const items = blocks.slice(from, from + limit)
    return Response.json({ items, next: from + limit < blocks.length ? from + limit : null })
  }
}

describe('a home that follows a registry, of one whose home shows two histories', () => {
  it('keeps both blocks of a height, follows neither any more, and says so', async () => {
    const before = await stored(at.world)
    const other = await nextBlock(at.world, await enrolment(at.world, 'hospital-a'))
    await at.enrol('hospital-b')
    await at.enrol('hospital-b')
    await at.follow()
    const own = await stored(at)
    at.instead(showing([...before, other]))
    await expect(at.follow()).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(/withheld/),
    })
    at.instead(showing([...before, other, other]))
    expect(await at.follow()).toMatchObject({ outcome: 'forked', added: 0 })
    expect(await at.standing()).toMatchObject({
      registry: 'forked',
      fork: { height: 2, origin: at.world.home.origin, blocks: [own[2], other] },
    })
    const ready = await at.fetch(new Request(`${at.home.origin}/health/ready`))
    expect(await ready.json()).toMatchObject({ status: 'ready', registry: 'forked' })
    // It goes on by what it has, also where its home says later that all is well.
    at.instead(null)
    await at.enrol('hospital-b')
    expect(await at.follow()).toMatchObject({ outcome: 'forked', added: 0 })
    expect(await stored(at)).toEqual(own)
    // Only its operator says that this is settled.
    await dropFork({ tables: { following: at.platform.table('following') } })
    expect(await at.follow()).toMatchObject({ outcome: 'followed', added: 1 })
    expect(await at.standing()).toMatchObject({ registry: 'followed', fork: null })
  })

  it('finds where the histories part, however long ago that was', async () => {
    const before = await stored(at.world)
    const other = await nextBlock(at.world, await enrolment(at.world, 'hospital-a'))
    for (let i = 0; i < 6; i++) await at.enrol('hospital-b')
    await at.follow()
    at.instead(showing([...before, ...Array.from({ length: 9 }, () => other)]))
    expect(await at.follow()).toMatchObject({ outcome: 'forked' })
    expect((await at.standing()).fork).toMatchObject({ height: 2 })
  })
})

describe('a home that follows a registry, of one whose home', () => {
  const good = async () => {
    const before = await stored(at.world)
    await at.enrol('hospital-a')
    return { before, all: await stored(at.world) }
  }
  const expectNothing = async (before: readonly string[]) => {
    expect(await stored(at)).toEqual(before)
    expect(await at.standing()).toMatchObject({ registry: 'unseen', fork: null })
    at.instead(null)
    expect(await at.follow()).toMatchObject({ outcome: 'followed', added: 1 })
  }

  it('shows a block whose signature is not right, takes nothing and follows on once that is over', async () => {
    const { before, all } = await good()
    const bad = `${(all[2] ?? '').slice(0, -4)}AAAA`
    at.instead(showing([...before, bad]))
    await expect(at.follow()).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
    await expectNothing(before)
  })

  it('shows another block that may not be there, does not take it for a second history', async () => {
    const { before } = await good()
    at.instead(showing([before[0] ?? '', before[0] ?? '']))
    await expect(at.follow()).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    await expectNothing(before)
  })

  it('shows another registry, does not take it for a second history', async () => {
    const { before } = await good()
    const elsewhere = await followedWorld()
    await elsewhere.enrol('hospital-b')
    const others = (await stored(elsewhere.world)).map((each) => `${each.slice(0, -4)}AAAA`)
    at.instead(showing(others.map((each) => each.replace('.', '.e'))))
    await expect(at.follow()).rejects.toMatchObject({ code: expect.stringMatching(/MALFORMED|FAILED/) })
    await expectNothing(before)
  })

  it('shows less than before, says that blocks are held back', async () => {
    const { before } = await good()
    at.instead(showing(before.slice(0, 1)))
    await expect(at.follow()).rejects.toMatchObject({ message: expect.stringMatching(/^rule withheld: /) })
    expect((await at.standing()).failed).toMatchObject({ code: 'VERIFICATION_FAILED', rule: 'withheld' })
    await expectNothing(before)
  })

  it.each([
    ['says for ever that there is more', async () => Response.json({ items: [], next: 2 })],
    ['answers with something else', async () => new Response('<html>')],
    ['answers with too much', async () => new Response(new Uint8Array(32 * 1024 * 1024))],
    ['sends it elsewhere', async () => Response.redirect('http://other.test/', 302)],
    ['does not answer', () => Promise.reject(new TypeError('refused'))],
  ] satisfies [string, Fetch][])('%s, takes nothing', async (_, fetch) => {
    const { before } = await good()
    at.instead(fetch)
    await expect(at.follow()).rejects.toMatchObject({
      code: expect.stringMatching(/^(UPSTREAM_FAILED|VERIFICATION_FAILED)$/),
    })
    await expectNothing(before)
  })

  it('shows the same page for ever, ends the run', async () => {
    const { before, all } = await good()
    let asked = 0
    at.instead(async () => {
      asked += 1
      return Response.json({ items: asked === 1 ? all.slice(1) : all.slice(2), next: 3 })
    })
    await expect(at.follow()).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    expect(asked).toBe(2)
    // What was shown and verified stays.
    expect(await stored(at)).toEqual(all)
    expect(before).toHaveLength(2)
  })
})
