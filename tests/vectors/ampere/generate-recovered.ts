// SPDX-License-Identifier: Apache-2.0
// Writes the vectors in recovered/: node tests/vectors/ampere/generate-recovered.ts
// All keys are Ed25519 and drawn from the seed, so every run gives the same bytes. Vectors that have been published are not
// generated again: a change of format gets a new folder.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { stateBytes } from '#core/chain/state.ts'
import { SEED } from './seeded-bytes.ts'
import { makeCast } from './record/cast.ts'
import { rejectedBehind, tellRecovery } from './recovered/story.ts'

/** The text of recovered/chain.json. */
export async function recoveredVectors(): Promise<string> {
  const cast = await makeCast()
  const recovered = await tellRecovery(cast)
  const blocks = recovered.links.map(({ opened, state }) => ({
    type: opened.block.type,
    act: 'act' in opened.block.body ? opened.block.body.act : null,
    block: opened.compact,
    id: opened.id,
    state: opened.block.state,
    canonicalState: fromUtf8(stateBytes(state)),
  }))
  const rejected = (await rejectedBehind(recovered, cast)).map(([rule, block]) => ({ rule, block }))
  const chain = recovered.links[0]?.opened.chain
  const vectors = { registry: cast.registryBlocks, chain, blocks, rejected }
  return `${JSON.stringify({ seed: SEED, vectors }, null, 1)}\n`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(new URL('recovered/chain.json', import.meta.url), await recoveredVectors())
