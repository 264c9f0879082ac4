// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { witnessNameOf } from '#core/api/log.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { logSigner } from '#core/log/note/key.ts'
import { formatNote, parseNote, withSignatures } from '#core/log/note/note.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'

/**
 * A note with cosignatures of any time by keys of witnesses of a `witnessedWorld`, as a witness that lies makes them.
 * @param names in the world's policy: `w1-0` is the Ed25519 key of `w1`, `w1-1` the ML-DSA-44 key
 */
export async function cosignedBy(note: string, names: readonly string[], seconds: number): Promise<string> {
  const parsed = parseNote(note)
  const made = names.map(async (name) => {
    const signer = await signerNamed(name)
    return signCheckpointText(signer, parsed.text, seconds)
  })
  return formatNote(withSignatures(parsed, await Promise.all(made)))
}

async function signerNamed(name: string) {
  const [witness, number] = name.split('-')
  const origin = `http://${witness}.test`
  const platform = withKeptKeys(openMemory({ now: () => START_MS, random: seededRandom(1) }), origin)
  return number === '0'
    ? logSigner(witnessNameOf(origin), 'cosignature-Ed25519', await platform.signer('witness'))
    : logSigner(witnessNameOf(origin), 'cosignature-ML-DSA-44', await platform.signer('witness-quantum'))
}
