// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { revokedRecord, type Reason, type RevokedExport } from '#tests/vectors/ampere/moved/revoked-record.ts'

const WITNESSED = Array<string>(3).fill('witnessed')

async function saidOf({ registry }: RevokedExport, bytes: Uint8Array, policy: string) {
  return (await verifyExport(bytes, { registry, policy: parsePolicy(policy) })).log?.statuses
}

describe('a block behind the revocation of its key in the log of the home that its chain left', () => {
  it.each<Reason>(['suspended', 'compromised'])(
    'is late there, and not better than suspect after the move, where the key was %s',
    async (reason) => {
      const made = await revokedRecord(reason)
      expect(await saidOf(made, made.before, made.policy)).toEqual([...WITNESSED, 'witnessed', 'late'])
      const after = [...WITNESSED, 'witnessed', 'suspect', 'witnessed']
      expect(await saidOf(made, made.after, made.policy)).toEqual(after)
      // Nobody saw the other before: it is not known to have been.
      const unseen = ['logged', 'logged', 'logged', 'suspect', 'suspect', 'logged']
      expect(await saidOf(made, made.after, made.unwitnessed)).toEqual(unseen)
    },
  )

  it('is judged by times alone where the key was retired: who did so trusts what it signed', async () => {
    const made = await revokedRecord('retired')
    expect(await saidOf(made, made.before, made.policy)).toEqual([...WITNESSED, 'witnessed', 'late'])
    expect(await saidOf(made, made.after, made.policy)).toEqual(Array(6).fill('witnessed'))
  })
})
