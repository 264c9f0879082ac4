// SPDX-License-Identifier: Apache-2.0
// Writes the vectors in evidence/: node tests/vectors/ampere/generate-evidence.ts
// The record is that of record/chain.json, whose keys are drawn from the seed; the log's two keys are those whose seeds
// are the bytes 91 and 92, 32 times. Every run gives the same bytes. Vectors that have been published are not generated
// again: a change of format gets a new folder.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { acceptedEvidence } from './evidence/accepted.ts'
import { rejectedEvidence } from './evidence/rejected.ts'
import { makeWorld } from './evidence/world.ts'
import { SEED } from './seeded-bytes.ts'

const FOLDER = new URL('evidence/', import.meta.url)

/** Every file of the folder, as text. `NAME.ampere-evidence` are files that convince with the pins of pins.json. */
export async function evidenceVectors(): Promise<Readonly<Record<string, string>>> {
  const world = await makeWorld()
  const accepted = Object.entries(await acceptedEvidence(world)).map(([name, bytes]) => [name, fromUtf8(bytes)] as const)
  const parsed = Object.fromEntries(
    accepted.map(([name, text]) => [name, JSON.parse(text) as Record<string, unknown>]),
  )
  const pins = { registry: world.registry.id, logs: world.logKeys }
  return {
    ...Object.fromEntries(accepted.map(([name, text]) => [`${name}.ampere-evidence`, text])),
    'pins.json': json(pins),
    'rejected.json': json(await rejectedEvidence(world, parsed)),
  }
}

function json(vectors: unknown): string {
  return `${JSON.stringify({ seed: SEED, vectors }, null, 1)}\n`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [name, text] of Object.entries(await evidenceVectors())) writeFileSync(new URL(name, FOLDER), text)
}
