// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import type { Link } from '#core/chain/state.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { claimed, makeKit, next, type Kit } from './rules/kit.ts'
import { control, digest, newEpoch, record, seal } from './small-chain.ts'

let kit: Kit
beforeAll(async () => {
  kit = await makeKit(77)
})

/** The rule that a chain breaks, and where, for every size of page in which it may be read. */
async function verdicts(compacts: readonly string[]): Promise<Set<string>> {
  const { history } = kit
  const chain = kit.start.opened.chain
  const context = { chain, viewAt: history.viewAt, keyOf: history.keyOf, verifiers: createVerifiers() }
  const found = new Set<string>()
  for (let page = 1; page <= compacts.length; page++) {
    let link: Link | null = null
    for (let at = 0; at < compacts.length; at += page) {
      const { links, broken } = await foldBlocks(link, compacts.slice(at, at + page), context)
      if (broken) found.add(`${broken.height} ${broken.violation.rule}`)
      if (broken) break
      link = links.at(-1) ?? null
    }
  }
  return found
}

describe('a device that signs a block', () => {
  const before = () => [kit.start, kit.first, kit.head].map(({ opened }) => opened.compact)

  it('is unknown after it was dropped, however the blocks are paged', async () => {
    const listed = await claimed(kit)
    const given = {
      controllers: { threshold: 1, members: [kit.member('hospital-a')] },
      epoch: newEpoch(kit, listed.state),
      packages: digest(kit.random),
    }
    const dropped = await next(kit, listed, kit.a, await control(kit, listed, [kit.a], given))
    const late = await seal(kit, dropped, record(kit, dropped), kit.device)
    const blocks = [...before(), listed.opened.compact, dropped.opened.compact, late]
    expect(await verdicts(blocks)).toEqual(new Set(['5 signature']))
  })

  it('is unknown before it is listed, however the blocks are paged', async () => {
    const early = await seal(kit, kit.head, record(kit, kit.head), kit.device)
    const listed = await claimed(kit)
    expect(await verdicts([...before(), early, listed.opened.compact])).toEqual(new Set(['3 signature']))
  })
})
