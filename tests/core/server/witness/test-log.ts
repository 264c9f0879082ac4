// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { formatAddCheckpoint } from '#core/log/add-checkpoint.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { formatVerifierKey, type LogSigner } from '#core/log/note/key.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { consistencyProof } from '#core/log/proof.ts'
import { signerOf, TIME } from '#tests/core/log/signers.ts'

/** A log of which every tree can be had: its leaves follow from their indexes. */
export interface TestLog {
  readonly origin: string
  readonly signers: readonly LogSigner[]
  /** Verifier keys. */
  readonly keys: readonly string[]
  root(size: number): Uint8Array
  proof(oldSize: number, size: number): readonly Uint8Array[]
  /** The signed checkpoint of a size; `given` says what is different. */
  note(
    size: number,
    given?: { readonly root?: Uint8Array; readonly signers?: readonly LogSigner[] },
  ): Promise<string>
  /** A request to cosign `size` after `oldSize`. */
  request(oldSize: number, size: number): Promise<string>
}

/** The log of these signers. Its leaves from `forkAt` on are not those of the same log with another `forkAt`. */
export function logOf(signers: readonly LogSigner[], forkAt: number = Number.POSITIVE_INFINITY): TestLog {
  const origin = signers[0]?.key.name ?? ''
  const leaf = (index: number) =>
    leafHash(utf8(index < forkAt ? `entry ${index}` : `fork ${forkAt} ${index}`))
  const leaves = (size: number) => Array.from({ length: size }, (_, index) => leaf(index))
  const root = (size: number) => merkleRoot(leaves(size))
  const proof = (oldSize: number, size: number) =>
    oldSize === 0 || oldSize > size ? [] : consistencyProof(leaves(size), oldSize)
  const note: TestLog['note'] = async (size, given = {}) => {
    const checkpoint = { origin, size, root: given.root ?? root(size), extensions: [] }
    return formatNote(await signCheckpoint(checkpoint, given.signers ?? signers, TIME))
  }
  return {
    origin,
    signers,
    keys: signers.map(({ key }) => formatVerifierKey(key)),
    root,
    proof,
    note,
    request: async (oldSize, size) =>
      formatAddCheckpoint({ oldSize, hashes: proof(oldSize, size), note: await note(size) }),
  }
}

/** A log whose keys follow from its number; forks of one number are the same log with two histories. */
export async function testLog(number = 1, forkAt?: number): Promise<TestLog> {
  const origin = `log-${number}.example/log`
  return logOf([await signerOf(origin, 'Ed25519', number)], forkAt)
}
