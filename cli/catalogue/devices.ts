// SPDX-License-Identifier: Apache-2.0
import { parseCount, parseList } from '../program/arguments.ts'
import type { ArgumentSpec, CommandGroup, CommandSpec, FlagSpec } from '../program/command.ts'

const RECORD: ArgumentSpec = { name: 'record', about: 'the first characters of its id, four or more' }
const CHAIN = 'id of the record'
const MADE = 'chain and block of each step that was made'
const LACKS = 'what is missing before it is made: threshold, device-possession, device-identify, or null'
const OUT: FlagSpec = {
  flags: '--out <file>',
  about: 'the file to write, for the other party; it must not exist',
}
const SHEET: FlagSpec = {
  flags: '--sheet <file>',
  about: 'file with the words of the sheet, or the text of its code (default: they are asked for, unseen)',
}
const ASK: FlagSpec = {
  flags: '--ask <file>',
  about: 'the file to write for whoever has to approve it first (default: beside the page)',
}
const WITHIN: FlagSpec = {
  flags: '--within <hours>',
  about: 'how long the others may take to approve, 1 to 72 (default: 2)',
  parse: parseCount,
}
const FINGERPRINT: FlagSpec = {
  flags: '--fingerprint <groups>',
  about: 'what the new device shows, instead of typing it when asked; several with commas',
  parse: parseList,
}

const APPROVE: Omit<CommandSpec, 'name' | 'examples'> = {
  summary: 'Approve what the other party asks for in a file, or make what all approved',
  about:
    'A desk types the fingerprint that the new device shows, and so vouches for it; a device agrees to what is shown. Whoever made the proposal makes it once all approved, and doing so again changes nothing.',
  args: [{ name: 'file', about: 'as the other party wrote it' }],
  flags: [
    OUT,
    FINGERPRINT,
    WITHIN,
    {
      flags: '--confirm <record>',
      about:
        "the record's first eight characters, instead of typing them (where no fingerprint is asked for)",
    },
  ],
  acts: true,
  json: {
    ok: 'true',
    chain: CHAIN,
    made: MADE,
    notBefore: 'from when on a recovery can be completed, or null',
    file: 'the answer for the other party, or null',
    lacks: 'approvals where others have to approve, or null',
  },
  load: async () => (await import('../commands/device/approve.ts')).approve,
}

const LIST: Omit<CommandSpec, 'name' | 'examples'> = {
  summary: 'Show who controls a record, who may recover it, and what waits',
  args: [RECORD],
  acts: true,
  json: {
    ok: 'false where the access chain says something else',
    chain: CHAIN,
    controllers: 'threshold, and members: institution, or fingerprint of a device',
    recovery: 'the same of those who may recover it, or null',
    pending: 'block, notBefore, identified, frozen and says of each recovery that waits',
    access: 'whether the access chain differs, and how many recoveries wait there',
    own: "this device's fingerprint, or null",
  },
  load: async () => (await import('../commands/device/show.ts')).listDevices,
}

const DEVICE: readonly CommandSpec[] = [
  {
    name: 'device new',
    summary: "Make a patient's device: keys in a folder of their own",
    about: 'It belongs to no institution. Nothing that exists is overwritten.',
    flags: [
      {
        flags: '--passphrase <how>',
        about: 'how the passphrase of its key file is kept (default: generated)',
        choices: ['generated', 'keychain', 'prompt'],
      },
    ],
    examples: [{ does: 'a device in a folder', run: 'npx ampere device new --data ./phone' }],
    json: {
      ok: 'true',
      folder: 'the folder',
      kid: 'its key id',
      fingerprint: 'to be compared',
      passphrase: 'how it is kept',
    },
    load: async () => (await import('../commands/device/new.ts')).newDevice,
  },
  {
    name: 'device invite',
    summary: "At the institution: invite a patient's device to a record",
    about:
      'The file says where the record is. The code is for one device, within a day, and is told apart from the file.',
    args: [RECORD],
    flags: [OUT],
    acts: true,
    examples: [
      { does: 'for the patient at the desk', run: 'npx ampere device invite 7Qk2 --out invitation.json' },
    ],
    json: {
      ok: 'true',
      chain: CHAIN,
      code: 'the code',
      expires: 'until when it is usable',
      file: 'the invitation',
    },
    load: async () => (await import('../commands/device/claim.ts')).inviteDevice,
  },
  {
    name: 'device claim',
    summary: 'On the device: ask to control the record of an invitation',
    args: [{ name: 'invitation', about: 'the file from the institution' }],
    flags: [OUT, { flags: '--code <code>', about: 'as it was told (default: it is asked for)' }],
    examples: [
      {
        does: 'with the code that was told',
        run: 'npx ampere device claim invitation.json --out claim.json --data ./phone',
      },
    ],
    json: { ok: 'true', chain: CHAIN, fingerprint: 'to be shown at the institution', file: 'the request' },
    load: async () => (await import('../commands/device/claim.ts')).claimRecord,
  },
  {
    ...APPROVE,
    name: 'device approve',
    examples: [
      { does: 'at the institution', run: 'npx ampere device approve claim.json --out answer.json' },
      {
        does: 'on the device',
        run: 'npx ampere device approve answer.json --out agreed.json --data ./phone',
      },
      { does: 'at the institution again, which makes it', run: 'npx ampere device approve agreed.json' },
    ],
  },
  {
    name: 'device sheet',
    summary: 'Make a sheet to print, with which a lost device is replaced',
    about:
      'One page without scripts or anything that is fetched. Without a list of who may recover the record, two may of the sheet and of those who control it. Whoever has the sheet can read the record: print it, delete the file.',
    args: [RECORD],
    flags: [{ flags: '--out <file>', about: 'the page to write, or - for standard output' }, ASK, WITHIN],
    acts: true,
    examples: [
      {
        does: 'on the device; the institution vouches for it',
        run: 'npx ampere device sheet 7Qk2 --out sheet.html --data ./phone',
      },
    ],
    json: {
      ok: 'true',
      chain: CHAIN,
      fingerprint: 'of the sheet',
      sheet: 'the page',
      made: MADE,
      lacks: LACKS,
      file: 'for whoever has to approve, or null',
    },
    load: async () => (await import('../commands/device/lists.ts')).makeSheet,
  },
  {
    name: 'device recovery',
    summary: 'Set who may recover a record, and how many of them it takes',
    args: [RECORD],
    flags: [
      {
        flags: '--with <names>',
        about: 'institutions, institution for all that control it, or the first characters of fingerprints',
        parse: parseList,
      },
      { flags: '--of <count>', about: 'how many of them together (default: 2)', parse: parseCount },
      { flags: '--off', about: 'nobody' },
      ASK,
      WITHIN,
    ],
    acts: true,
    examples: [
      {
        does: 'any two of three',
        run: 'npx ampere device recovery 7Qk2 --of 2 --with K7M2,9D3H,institution --data ./phone',
      },
    ],
    json: { ok: 'true', chain: CHAIN, made: MADE, lacks: LACKS, file: 'for whoever has to approve, or null' },
    load: async () => (await import('../commands/device/lists.ts')).setRecovery,
  },
  {
    ...LIST,
    name: 'device list',
    examples: [{ does: 'who is listed?', run: 'npx ampere device list 7Qk2 --data ./phone' }],
  },
  {
    name: 'device read',
    summary: 'Read a record as a device that controls it',
    args: [RECORD],
    flags: [
      { flags: '--out <file>', about: 'write its contents, one JSON object a line; - is standard output' },
    ],
    acts: true,
    examples: [{ does: 'how much is there?', run: 'npx ampere device read 7Qk2 --data ./phone' }],
    json: {
      ok: 'true',
      chain: CHAIN,
      height: 'of the newest block',
      opened: 'how many entries open',
      closed: 'and how many do not',
      file: 'what was written, or null',
    },
    load: async () => (await import('../commands/device/show.ts')).readRecord,
  },
]

const RECOVER: readonly CommandSpec[] = [
  {
    name: 'recover request',
    summary: 'On a new device: ask with the sheet to take the place of a lost one',
    about:
      'It can be completed 72 hours after the time for approving has passed. A wrong sheet is told from a word that was mistyped. Trying words is not limited: that would not stop whoever has the file.',
    args: [
      {
        name: 'invitation',
        about: 'the file from the institution; the code of the sheet says the same',
        optional: true,
      },
    ],
    flags: [
      OUT,
      SHEET,
      {
        flags: '--lost <fingerprints>',
        about: 'the lost device, by its first characters (default: the only one that controls the record)',
        parse: parseList,
      },
      WITHIN,
    ],
    examples: [
      {
        does: 'type the words of the sheet',
        run: 'npx ampere recover request invitation.json --out ask.json --data ./new-phone',
      },
    ],
    json: {
      ok: 'true',
      chain: CHAIN,
      fingerprint: 'of the new device',
      made: MADE,
      lacks: LACKS,
      notBefore: 'from when on it can be completed',
      file: 'for whoever has to approve, or null',
    },
    load: async () => (await import('../commands/device/recover.ts')).requestRecord,
  },
  {
    ...APPROVE,
    name: 'recover approve',
    examples: [
      { does: 'at the institution, having seen who asks', run: 'npx ampere recover approve ask.json' },
    ],
  },
  {
    ...LIST,
    name: 'recover status',
    examples: [{ does: 'what waits?', run: 'npx ampere recover status 7Qk2' }],
  },
  {
    name: 'recover complete',
    summary: 'Complete a recovery whose delay has passed: the keys become new',
    about: 'On a device by the sheet; without one the institution does it, if it reads the record and stays.',
    args: [RECORD],
    flags: [
      SHEET,
      { flags: '--block <height>', about: 'of the request, where several wait', parse: parseCount },
    ],
    acts: true,
    examples: [{ does: 'after 72 hours', run: 'npx ampere recover complete 7Qk2 --data ./new-phone' }],
    json: { ok: 'true', chain: CHAIN, act: 'complete', made: MADE },
    load: async () => (await import('../commands/device/recover.ts')).completeRecord,
  },
  {
    name: 'recover cancel',
    summary: 'Cancel a recovery, as one of those who control the record',
    about: 'Where an institution saw who asks, not as the device that is to be removed.',
    args: [RECORD],
    flags: [{ flags: '--block <height>', about: 'of the request, where several wait', parse: parseCount }],
    acts: true,
    examples: [{ does: 'that was not me', run: 'npx ampere recover cancel 7Qk2 --data ./phone' }],
    json: { ok: 'true', chain: CHAIN, act: 'cancel', made: MADE },
    load: async () => (await import('../commands/device/recover.ts')).cancelRecord,
  },
]

export const DEVICES: CommandGroup = { title: "Patients' devices", commands: [...DEVICE, ...RECOVER] }
