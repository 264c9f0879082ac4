// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { daysLater } from '../another-time.ts'
import { told } from '../told.ts'
import { freshFolder, run, servingHere, testPort, testTerminal } from '../harness.ts'

/** One party with a folder of its own. */
const partyIn =
  (folder: string) =>
  (...args: string[]) =>
    told(folder, ...args, '--no-input')
/** One patient with one resource. */
const RESOURCES = [
  { resourceType: 'Patient', id: 'p1', name: [{ family: 'Smith' }] },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { text: 'weight' },
    subject: { reference: 'Patient/p1' },
    valueQuantity: { value: 70, unit: 'kg' },
  },
]
  .map((resource) => `${JSON.stringify(resource)}\n`)
  .join('')
const HOUR_MS = 3_600_000
const words = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word ?? '')

describe('a patient with a folder, the institution with another one, and a home that is asked over HTTP', () => {
  it('claims a record, prints a sheet, loses the device, and reads the record with a new one three days later', async () => {
    await daysLater(0, async (pass) => {
      const home = freshFolder()
      const [phoneFolder, nextFolder] = [freshFolder(), freshFolder()]
      const files = dirname(phoneFolder)
      const file = (name: string) => join(files, name)
      const [desk, phone, next] = [partyIn(home), partyIn(phoneFolder), partyIn(nextFolder)]
      const port = testPort(104)
      await desk('init', '--institution', 'st-mary=St Mary', '--passphrase', 'generated', '--port', port)
      writeFileSync(file('patient.ndjson'), RESOURCES)
      await desk('import', file('patient.ndjson'))
      const [{ chain }] = (await desk('chain', 'list'))['items'] as [{ chain: string }]
      const record = chain.slice(0, 8)
      await servingHere(['start', '--no-witness', '--data', home, '--port', port], async () => {
        // Claiming.
        const { fingerprint } = await phone('device', 'new')
        expect(await phone('device', 'new')).toMatchObject({ exit: 1, code: 'ALREADY_EXISTS' })
        const { code } = await desk('device', 'invite', record, '--out', file('invitation'))
        expect(readFileSync(file('invitation'), 'utf8')).not.toContain(String(code))
        const claim = ['device', 'claim', file('invitation'), '--code', String(code)]
        expect(await phone(...claim, '--out', file('claim'))).toMatchObject({ exit: 0, fingerprint })
        await next('device', 'new')
        await next(...claim, '--out', file('stranger'))

        const approve = (name: string, out: string, print = String(fingerprint)) =>
          desk('device', 'approve', file(name), '--out', file(out), '--fingerprint', print)
        // A stranger who has the code is not the device that the patient shows.
        expect(await approve('stranger', 'none')).toMatchObject({ exit: 1, code: 'FORBIDDEN' })
        expect(await approve('claim', 'offer')).toMatchObject({ exit: 0, made: [] })
        const theirs = String(
          (await next('device', 'claim', file('invitation'), '--code', String(code), '--out', file('again')))[
            'fingerprint'
          ],
        )
        expect(await approve('again', 'none', theirs)).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
        expect(await desk('device', 'approve', file('offer'))).toMatchObject({
          exit: 1,
          code: 'PRECONDITION_FAILED',
        })
        const agree = ['device', 'approve', file('offer'), '--out', file('agreed'), '--confirm']
        expect(await phone(...agree, 'another')).toMatchObject({ exit: 2 })
        expect(await phone(...agree, record)).toMatchObject({ exit: 0 })
        expect(await desk('device', 'approve', file('agreed'))).toMatchObject({ exit: 0, made: [{}, {}] })
        expect(await desk('device', 'approve', file('agreed'))).toMatchObject({ exit: 2 })
        const before = await phone('device', 'read', record)
        expect(before).toMatchObject({ exit: 0, opened: 2, closed: 0 })

        // A sheet.
        const sheet = file('sheet.html')
        const made = await phone('device', 'sheet', record, '--out', sheet, '--ask', file('ask'))
        expect(made).toMatchObject({ exit: 0, lacks: 'device-identify', made: [] })
        expect(statSync(sheet).mode & 0o777).toBe(0o600)
        expect(JSON.stringify(made)).not.toContain(words(sheet)[0])
        expect(await approve('ask', 'vouched', String(made['fingerprint']))).toMatchObject({ exit: 0 })
        expect(await phone('device', 'approve', file('vouched'))).toMatchObject({ exit: 0, made: [{}, {}] })
        expect(await phone('device', 'list', record)).toMatchObject({
          ok: true,
          own: fingerprint,
          recovery: {
            threshold: 2,
            members: [{ institution: 'st-mary' }, { device: fingerprint }, { device: made['fingerprint'] }],
          },
        })

        // The phone is lost.
        writeFileSync(file('words'), words(sheet).join(' '))
        const swapped = words(sheet)
        swapped.reverse()
        writeFileSync(file('damaged'), swapped.join(' '))
        writeFileSync(file('wrong'), `${'abandon '.repeat(23)}art`)
        const request = (sheetFile: string) =>
          next('recover', 'request', file('invitation'), '--out', file('recover'), '--sheet', file(sheetFile))
        expect(await request('damaged')).toMatchObject({ exit: 1, code: 'KEY_MALFORMED' })
        expect(await request('wrong')).toMatchObject({ exit: 1, code: 'UNAUTHORIZED' })
        const asked = await request('words')
        expect(asked).toMatchObject({ exit: 0, lacks: 'threshold', fingerprint: theirs })
        expect(
          await desk('recover', 'approve', file('recover'), '--fingerprint', String(fingerprint)),
        ).toMatchObject({ exit: 1, code: 'FORBIDDEN' })
        const approved = () => desk('recover', 'approve', file('recover'), '--fingerprint', theirs)
        expect(await approved()).toMatchObject({ exit: 0, made: [{}, {}], notBefore: asked['notBefore'] })
        expect(await approved()).toMatchObject({ exit: 0, made: [{}, {}] })
        expect(await desk('recover', 'status', record)).toMatchObject({
          ok: true,
          pending: [{ identified: true, frozen: 1 }],
        })
        const complete = () => next('recover', 'complete', record, '--sheet', file('words'))
        expect(await complete()).toMatchObject({ exit: 1, code: 'PRECONDITION_FAILED' })
        expect(await phone('recover', 'cancel', record)).toMatchObject({ exit: 1, code: 'VIOLATION' })
        await pass(75 * HOUR_MS)
        expect(await complete()).toMatchObject({ exit: 0, made: [{}, {}] })
        expect(await complete()).toMatchObject({ exit: 0, made: [] })
        expect(await next('device', 'read', record)).toMatchObject({
          exit: 0,
          opened: before['opened'],
          closed: 0,
        })
        expect(await phone('device', 'read', record)).toMatchObject({ exit: 1, code: 'UNAUTHORIZED' })
        expect(await next('device', 'list', record)).toMatchObject({ ok: true, pending: [], own: theirs })

        // Without the institution, which every controller can cancel.
        const third = partyIn(freshFolder())
        await third('device', 'new')
        await third(
          'recover',
          'request',
          file('invitation'),
          '--out',
          file('without'),
          '--sheet',
          file('words'),
        )
        const agreed = await next('recover', 'approve', file('without'), '--confirm', record)
        expect(agreed).toMatchObject({ exit: 0, made: [{}, {}] })
        const [{ block }] = (await next('recover', 'status', record))['pending'] as [{ block: number }]
        expect(agreed['made']).toMatchObject([{ block }, {}])
        expect(await next('recover', 'cancel', record, '--block', String(block))).toMatchObject({
          exit: 0,
          made: [{}, {}],
        })
        expect(await next('recover', 'status', record)).toMatchObject({
          ok: true,
          pending: [],
          access: { differs: false, pending: 0 },
        })

        // The sheet was seen: it is taken off the list, and opens nothing that comes later.
        const names = ['--with', `institution,${theirs.slice(0, 4)}`]
        expect(await next('device', 'recovery', record, ...names, '--of', '3')).toMatchObject({ exit: 2 })
        expect(await next('device', 'recovery', record, '--with', 'nobody-x')).toMatchObject({
          exit: 1,
          code: 'NOT_FOUND',
        })
        expect(await next('device', 'recovery', record, ...names)).toMatchObject({ exit: 0, made: [{}, {}] })
        expect(
          await third(
            'recover',
            'request',
            file('invitation'),
            '--out',
            file('late'),
            '--sheet',
            file('words'),
          ),
        ).toMatchObject({ code: 'UNAUTHORIZED' })
      })
    })
  }, 180_000)
})

describe('a device', () => {
  it('is told that an invitation, an institution or a sheet is missing, and never shows words', async () => {
    const folder = freshFolder()
    const device = partyIn(folder)
    expect(await device('device', 'read', 'abcd')).toMatchObject({ exit: 1, code: 'CONFIGURATION' })
    await device('device', 'new')
    expect(await device('device', 'read', 'abcd')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(await device('device', 'invite', 'abcd', '--out', `${folder}.x`)).toMatchObject({ exit: 2 })
    const terminal = testTerminal({
      isTTY: true,
      types: ['abandon ability able', `${'abandon '.repeat(22)}zzz art`, 'abandon '.repeat(24), '\u0003'],
    })
    const typed = await run(['recover', 'request', '--out', `${folder}.y`, '--data', folder], terminal)
    expect(typed.code).toBe(1)
    expect(typed.err).toContain('a sheet has 24 words, and here are 3')
    expect(typed.err).toContain('word 23 is not one')
    expect(typed.err).toContain('do not belong together')
    expect(typed.err).not.toContain('abandon')
  }, 30_000)
})
