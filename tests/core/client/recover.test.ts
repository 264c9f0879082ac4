// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { cancelRecovery, completeRecovery, requestRecovery } from '#core/client/acts/recover-chain.ts'
import { findings } from '#tests/fault/each-call.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { claimFor, makeDevice, type Device } from '#tests/patient-devices.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const HOUR = 3_600_000
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
const texts = async ({ connection }: Pick<Device, 'connection'>, record: never) =>
  (await connection.read(record)).opened.map(({ content }) => new TextDecoder().decode(content))

/** A patient with a phone and a printed sheet, who lost the phone and has another one. */
async function setting() {
  const world = await testDeployment(['hospital-a', 'hospital-b'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general', 'genetic'])
  await a.append(record, [entry('before')])
  const claimed = await claimFor(world, 'hospital-a', a, record)
  const next = await makeDevice(world, a)
  const wanted = {
    controllers: { threshold: 1, members: [claimed.custodian, next.member] },
    recovery: { threshold: 2, members: [next.member, claimed.sheet.member, claimed.custodian] },
  }
  return { world, a, record: record as never, next, wanted, ...claimed }
}

describe('a patient whose phone is lost', () => {
  it('has the record back with sheet and custodian once the delay has passed, and the phone nothing of what comes later', async () => {
    const { world, a, record, next, wanted, phone, sheet, instance } = await setting()
    expect(await texts(phone, record)).toEqual(['before'])
    const approvers = [sheet.signer, instance, next.signer]
    const { block } = await requestRecovery(sheet.connection, record, wanted, approvers)
    await expect(completeRecovery(sheet.connection, record, block.height)).rejects.toMatchObject({
      code: 'VIOLATION',
      message: expect.stringContaining('recover-early'),
    })
    await expect(cancelRecovery(phone.connection, record, block.height)).rejects.toMatchObject({
      message: expect.stringContaining('recover-removed'),
    })
    world.clock.now += 73 * HOUR
    const done = await completeRecovery(sheet.connection, record, block.height)
    expect((await completeRecovery(sheet.connection, record, block.height)).id).toBe(done.id)
    await a.append(record, [entry('after')])
    expect(await texts(next, record)).toEqual(['before', 'after'])
    expect(await texts(sheet, record)).toEqual(['before', 'after'])
    await expect(phone.connection.read(record)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    const file = await exportRecord(next.connection, record)
    expect((await verifyExport(file, { registry: world.registryId })).problems).toEqual([])
    expect(await findings(world)).toEqual([])
  })

  it('has it back although the phone is in the hands of a thief, who can take nothing from the sheet meanwhile', async () => {
    const { world, record, next, wanted, phone, sheet, instance } = await setting()
    const approvers = [sheet.signer, instance, next.signer]
    const { block } = await requestRecovery(sheet.connection, record, wanted, approvers)
    const grab = { controllers: { threshold: 1, members: [phone.member] }, recovery: null }
    await expect(changeChain(phone.connection, record, grab, [phone.signer, instance])).rejects.toMatchObject(
      { message: expect.stringContaining('recover-frozen') },
    )
    await expect(rotateChain(phone.connection, record)).rejects.toMatchObject({
      message: expect.stringContaining('recover-frozen'),
    })
    world.clock.now += 73 * HOUR
    await completeRecovery(sheet.connection, record, block.height)
    expect(await texts(next, record)).toEqual(['before'])
  })

  it('cannot recover with the sheet alone', async () => {
    const { record, next, wanted, sheet } = await setting()
    await expect(
      requestRecovery(sheet.connection, record, wanted, [sheet.signer, next.signer]),
    ).rejects.toMatchObject({ message: expect.stringContaining('threshold') })
  })
})

describe('a recovery that the patient did not ask for', () => {
  it('is cancelled by the phone where nobody vouched for it, and is refused then', async () => {
    const { world, record, next, wanted, phone, sheet } = await setting()
    const approvers = [sheet.signer, phone.signer, next.signer]
    const { block } = await requestRecovery(sheet.connection, record, wanted, approvers)
    await cancelRecovery(phone.connection, record, block.height)
    world.clock.now += 73 * HOUR
    await expect(completeRecovery(sheet.connection, record, block.height)).rejects.toMatchObject({
      message: expect.stringContaining('pending'),
    })
    expect(await findings(world)).toEqual([])
  })

  it('is not found at the height of another block', async () => {
    const { record, sheet } = await setting()
    await expect(completeRecovery(sheet.connection, record, 2)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(cancelRecovery(sheet.connection, record, 99)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
