// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { emptyState, putRecords } from '#core/registry/state.ts'
import { checkStopped } from '#cli/commands/instances/revoke.ts'
import { asInstitutionId } from '#core/bytes/ids.ts'
import { instanceRecords, makeSigner, seededRandom } from '#tests/deployment.ts'

it('does not call an instance revoked that was given another key meanwhile', async () => {
  const { instance } = instanceRecords(
    'ward-7',
    asInstitutionId('hospital-a'),
    await makeSigner(seededRandom(1)),
    [],
  )
  const stateWith = (status: 'active' | 'revoked') => () =>
    putRecords(emptyState(), [{ ...instance, status }])
  expect(() => checkStopped({ state: stateWith('active') }, instance)).toThrow(/has another one since/)
  expect(() => checkStopped({ state: stateWith('revoked') }, instance)).not.toThrow()
})
