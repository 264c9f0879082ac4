// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from './cloud-flags.ts'
import { parseCount, parseList, parseUntil } from '../program/arguments.ts'
import type { ArgumentSpec, CommandGroup } from '../program/command.ts'
import { graveFlags } from './deployment.ts'

const RECORD: ArgumentSpec = {
  name: 'record',
  about: 'the first characters of its id, four or more (npx ampere chain list)',
}
const INSTITUTION: ArgumentSpec = { name: 'institution', about: 'its id in the registry' }
const BLOCK = 'height of the block that did it, null when nothing had to change'
const CHAIN = 'id of the record'

export const RECORDS: CommandGroup = {
  title: 'Records',
  commands: [
    {
      name: 'chain list',
      summary: 'List the records that an institution knows',
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'which records are there?', run: 'npx ampere chain list' }],
      json: {
        ok: 'false when one does not verify',
        items: 'chain, blocks, epoch, grants, hold, erasuresPending and rotationDue of each',
        problems: 'of records that do not verify',
      },
      load: async () => (await import('../commands/records/chain.ts')).listRecords,
    },
    {
      name: 'chain show',
      summary: "Show a record's blocks: type, time, author, status; never contents",
      about:
        'Statuses of what the log says: witnessed, logged, promised, overdue, suspect, late (promised is the best one without a policy); of what else is the matter: incomplete, erasing, erased, missing, tampered, unopenable, forked, and not-checked for what comes after something that is wrong.',
      args: [RECORD],
      flags: [
        HOME_FLAG,
        {
          flags: '--block <height>',
          about: 'one block, with its entries, and what is stored against what was signed',
          parse: parseCount,
        },
      ],
      acts: true,
      examples: [
        { does: 'every block', run: 'npx ampere chain show 7Qk2' },
        { does: 'one block, after verify named it', run: 'npx ampere chain show 7Qk2 --block 41' },
      ],
      json: {
        ok: 'false when something is wrong',
        chain: CHAIN,
        items:
          'height, id, type, time, author, does, status, logged (what the log says), entries and rule of each (without --block)',
        rotationDue:
          'institution and reason (removed, expired, revoked) of each reader for which new keys are due (without --block)',
        mirrors:
          'what each mirror says: institution, origin, says (mirrored, nothing, failed, forked, rolled-back), height, time and detail (without --block)',
        block: 'the same of the one block (with --block)',
        entries: 'id, status and compartment of its entries (with --block)',
        compared: 'what was signed and what is stored (with --block)',
        complete:
          'as of when nothing is held back: height, asOf, why (not), and monitors: origin, says (absent, present, unusable, failed), size and root of the tree in which it looked, seen, detail; null where it does not verify (without --block)',
        problem: 'what does not verify, or null',
      },
      load: async () => (await import('../commands/records/show.ts')).showRecord,
    },
    {
      name: 'chain export',
      summary: 'Write a record to a file that verifies offline',
      about:
        'Everything that proves the record, with the answers of the monitors that are asked (monitors.json) whether there is more; its contents stay sealed. It is verified once it is written. An existing file is left alone.',
      args: [RECORD, { name: 'file', about: 'the file to write' }],
      flags: [
        HOME_FLAG,
        {
          flags: '--no-lookups',
          about:
            'ask no monitor: the file then does not let its holders see in the public log when the record grows',
        },
      ],
      acts: true,
      examples: [
        {
          does: 'write, and verify without any server',
          run: 'npx ampere chain export 7Qk2 record.ampere && npx ampere verify record.ampere',
        },
      ],
      json: {
        ok: 'false when what was written does not verify',
        chain: CHAIN,
        file: 'the file',
        bytes: 'its size',
        monitors: 'origins of the monitors whose answers are in it',
        receipts: 'how many blocks have their receipt in it; null where that cannot be told',
        problems: 'what verifying it found: chain, height, status, rule and detail of each',
      },
      exits: { 3: 'it was written, and does not verify' },
      load: async () => (await import('../commands/records/export.ts')).exportChain,
    },
    {
      name: 'grant',
      summary: 'Let an institution read a record',
      about: 'Granting again changes the grant. It may enter what it reads in the access log, too.',
      args: [RECORD, INSTITUTION],
      flags: [
        HOME_FLAG,
        { flags: '--append', about: 'and write to it' },
        {
          flags: '--hold',
          about: 'keep a sealed copy, as a mirror, which opens nothing; what it may read stays',
        },
        {
          flags: '--compartments <names>',
          about: 'only these compartments, separated by commas (default: all)',
          parse: parseList,
        },
        { flags: '--until <time>', about: 'a day or a time at which the grant ends', parse: parseUntil },
      ],
      acts: true,
      examples: [
        {
          does: 'what is not specially sensitive',
          run: 'npx ampere grant 7Qk2 clinic-c --compartments general',
        },
        {
          does: 'reading and writing, for a year',
          run: 'npx ampere grant 7Qk2 clinic-c --append --until 2027-11-23',
        },
      ],
      json: {
        ok: 'true',
        chain: CHAIN,
        institution: 'who may',
        rights: 'read, append and read, or hold',
        compartments: 'their names, null for all',
        until: 'when it ends, or null',
        block: BLOCK,
      },
      load: async () => (await import('../commands/records/share.ts')).grant,
    },
    {
      name: 'revoke',
      summary: "Take an institution's grant away",
      about: 'The keys change: what is sealed from then on stays closed to it. It may keep what it opened.',
      args: [RECORD, INSTITUTION],
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'no more reading for the clinic', run: 'npx ampere revoke 7Qk2 clinic-c' }],
      json: { ok: 'true', chain: CHAIN, institution: 'whose grant is gone', block: BLOCK },
      load: async () => (await import('../commands/records/share.ts')).revoke,
    },
    {
      name: 'rotate',
      summary: 'Give a record new keys',
      about:
        'Drops readers that the registry has removed and grants that have ended. chain list says where that is due; rotation run does it for all records.',
      args: [RECORD],
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'new keys', run: 'npx ampere rotate 7Qk2' }],
      json: { ok: 'true', chain: CHAIN, block: BLOCK, dropped: 'institutions that can read nothing new' },
      load: async () => (await import('../commands/records/share.ts')).rotate,
    },
    {
      name: 'pair issue',
      summary: 'Make a code by which another institution joins a record',
      about:
        'One institution can use it, within a day, to read and append. Nobody is joined by a likeness of names or dates.',
      args: [RECORD],
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'a code to be told to the other hospital', run: 'npx ampere pair issue 7Qk2' }],
      json: {
        ok: 'true',
        chain: CHAIN,
        code: 'the code',
        expires: 'until when it is usable',
        at: 'address of the bridge that takes it; null with --cloud, where only institutions of this computer can',
      },
      load: async () => (await import('../commands/records/pair.ts')).pairIssue,
    },
    {
      name: 'pair join',
      summary: 'Join the record behind a code, for a patient of this institution',
      about:
        'The bridge of the other institution must be served, unless its keys are on this computer. A patient who has a record here keeps it: records are not merged.',
      args: [{ name: 'code', about: 'as the other institution told it' }],
      flags: [
        HOME_FLAG,
        { flags: '--patient <id>', about: "the patient's id in this institution's Patient resource" },
        {
          flags: '--at <address>',
          about:
            'the bridge that issued the code (default: those of the other institutions of this computer)',
        },
      ],
      acts: true,
      examples: [
        {
          does: 'join as the other hospital',
          run: 'npx ampere pair join 7K2M-QX4T-9D3H --patient 4711 --at http://127.0.0.1:7310/hospital-a --as hospital-b',
        },
      ],
      json: { ok: 'true', chain: CHAIN, patient: "the patient's id" },
      load: async () => (await import('../commands/records/pair.ts')).pairJoin,
    },
    {
      name: 'pair link',
      summary: 'Serve a record that was granted to this institution, for one of its patients',
      about:
        'For records that grant gave, without a code. The record is named by its whole id, which whoever granted it tells.',
      args: [{ name: 'record', about: 'its id' }],
      flags: [
        HOME_FLAG,
        { flags: '--patient <id>', about: "the patient's id in this institution's Patient resource" },
      ],
      acts: true,
      examples: [
        {
          does: 'as the clinic that was granted reading',
          run: 'npx ampere pair link 7Qk2dYwOaC0R8sQ3o7cXn5kUj1TzG4fEbVhLxPmWqAI --patient 4711 --as clinic-c',
        },
      ],
      json: { ok: 'true', chain: CHAIN, patient: "the patient's id" },
      load: async () => (await import('../commands/records/pair.ts')).pairLink,
    },
    {
      name: 'hold',
      summary: 'Forbid erasing in a record, or allow it again',
      args: [RECORD],
      flags: [HOME_FLAG, { flags: '--off', about: 'allow it again' }],
      acts: true,
      examples: [
        { does: 'while a court asks', run: 'npx ampere hold 7Qk2' },
        { does: 'afterwards', run: 'npx ampere hold 7Qk2 --off' },
      ],
      json: { ok: 'true', chain: CHAIN, hold: 'whether it is on hold now', block: BLOCK },
      load: async () => (await import('../commands/records/share.ts')).hold,
    },
    {
      name: 'erase',
      summary: 'Request, complete or cancel an erasure',
      about:
        'A request takes effect by completing it, 72 hours after witnesses saw it; any controller cancels it until then. What is erased nobody can bring back; who opened it may have copies. The record shows that something was erased, not what.',
      args: [RECORD],
      flags: [
        HOME_FLAG,
        {
          flags: '--entries <ids>',
          about: 'entries, by the first characters of their ids, separated by commas',
          parse: parseList,
        },
        { flags: '--record', about: 'the whole record' },
        {
          flags: '--ground <ground>',
          about: 'why (default: patient-request)',
          default: 'patient-request',
          choices: ['patient-request', 'misfiled', 'legal-duty', 'consent-withdrawn'],
        },
        { flags: '--complete <block>', about: 'complete what this block requested', parse: parseCount },
        {
          flags: '--unwitnessed',
          about:
            'complete it although not enough witnesses saw its delay pass; verifiers will say so for good',
        },
        { flags: '--cancel <block>', about: 'cancel what this block requested', parse: parseCount },
        ...graveFlags("the record's first characters, four or more"),
      ],
      acts: true,
      examples: [
        { does: 'which entries are in block 12?', run: 'npx ampere chain show 7Qk2 --block 12' },
        { does: 'request', run: 'npx ampere erase 7Qk2 --entries e91f --ground misfiled' },
        { does: 'not after all', run: 'npx ampere erase 7Qk2 --cancel 65' },
        { does: '72 hours later', run: 'npx ampere erase 7Qk2 --complete 65' },
      ],
      json: {
        ok: 'true',
        chain: CHAIN,
        dryRun: 'whether --dry-run was given',
        block: 'height of the block that requests, completes or cancels',
        scope: 'entries or record (of a request, as all that follow)',
        entries: 'ids of what is to be erased',
        ground: 'why',
        notBefore: 'when it can be completed',
        act: 'complete or cancel (not of a request)',
      },
      load: async () => (await import('../commands/records/erase.ts')).erase,
    },
  ],
}
