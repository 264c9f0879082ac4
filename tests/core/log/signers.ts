// SPDX-License-Identifier: Apache-2.0
import { fromBase64 } from '#core/bytes/base64.ts'
import { softwareSigner } from '#core/crypto/signature.ts'
import type { Checkpoint } from '#core/log/note/checkpoint.ts'
import { logSigner, type LogKeyType, type LogSigner } from '#core/log/note/key.ts'

/** When the published example was signed, POSIX seconds. */
export const TIME = 1_700_000_000

/** A signer whose key's seed is one byte, 32 times; its signatures are the same in every run. */
export async function signerOf(name: string, type: LogKeyType, seedByte: number): Promise<LogSigner> {
  const alg = type === 'cosignature-ML-DSA-44' ? 'ML-DSA-44' : 'Ed25519'
  const seed = new Uint8Array(32).fill(seedByte)
  return logSigner(name, type, await softwareSigner(alg, seed, { portable: true }))
}

/** The only entry of the example's log. */
export const ENTRY = 'hello'

/** The example's checkpoint: one entry, "hello". */
export const CHECKPOINT: Checkpoint = {
  origin: 'ampere.example/log1',
  size: 1,
  root: fromBase64('iipcm3aIJ95alVLDigRMZpWcaPbS8htSYK9U0vh9uCc='),
  extensions: [],
}

/** The same as the text of a note. */
export const CHECKPOINT_TEXT = 'ampere.example/log1\n1\niipcm3aIJ95alVLDigRMZpWcaPbS8htSYK9U0vh9uCc=\n'
/** The log's Ed25519 key. */
export const LOG_VKEY = 'ampere.example/log1+07430ee7+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c'
/** A witness's Ed25519 key. */
export const WITNESS_VKEY = 'witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU'
/** The checkpoint as the log signed it and the witness cosigned it. */
export const COSIGNED_NOTE = `${CHECKPOINT_TEXT}
\u2014 ampere.example/log1 B0MO54nKzcF+164HupyqnXt1aNoyx9CH3MjIbTE5f/4p6mY96fCx3O7IXy8otS1rz/dYkgazze0aHASastJnx68F8A4=
\u2014 witness.example/w1 3xwKNQAAAABlU/EAliWe9wZfDnnSvXJrG8aED0ZEPISwEqnBHyqt02ee8zjb2R7/v5VzEs9o9nz1qnme5BdzS/bRvczZh8AwvdmyDQ==
`

/** What `toThrow` compares an error of these formats with. */
export const LOG_MALFORMED = { code: 'LOG_MALFORMED', name: 'AmpereError' }
