// SPDX-License-Identifier: Apache-2.0
import { fromHex } from '#core/bytes/encoding.ts'
import { createVerifier } from '#core/crypto/signature.ts'
import type { PublicJwk } from '#core/ports/keys.ts'

/** Keys, each with messages and signatures in hexadecimal. */
export type SignatureCases = readonly {
  readonly jwk: PublicJwk
  readonly tests: readonly { readonly msg: string; readonly sig: string }[]
}[]

/** Which signatures are accepted, in order; a malformed key verifies nothing. Runs in Node and in a browser. */
export async function signatureAnswers(cases: SignatureCases, portable: boolean): Promise<boolean[]> {
  const answers: boolean[] = []
  for (const { jwk, tests } of cases) {
    const verifier = await createVerifier(jwk, { portable }).catch(() => null)
    for (const { msg, sig } of tests) {
      answers.push((await verifier?.verify(fromHex(msg), fromHex(sig))) ?? false)
    }
  }
  return answers
}
