// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from './cloud-flags.ts'
import type { CommandGroup } from '../program/command.ts'

const PROBLEMS = 'chain, height, status, rule and detail of each'

export const PROOF: CommandGroup = {
  title: 'Proof',
  commands: [
    {
      name: 'verify',
      summary: 'Verify an exported file, or with --all everything here',
      about:
        'A file needs no server: public keys are enough. --all verifies and opens every record that the institution knows, audits everything that the home holds, and rebuilds its log from what it serves.',
      args: [{ name: 'file', about: 'a file that chain export wrote', optional: true }],
      flags: [
        HOME_FLAG,
        { flags: '--all', about: 'every record known here, the stores of the home and its log' },
        {
          flags: '--registry <id>',
          about: 'registry to trust, for a file (default: that of the data folder, if any)',
        },
        {
          flags: '--policy <file>',
          about: 'logs and witnesses to trust, for a file (default: those of the data folder, if any)',
        },
        {
          flags: '--monitors <file>',
          about:
            'monitors to trust, for a file: {"origins": [ORIGIN, ...], "need": HOW MANY} (default: those of the data folder, if any)',
        },
        {
          flags: '--beside <file>',
          about: 'another export, of the same home, to compare a file with; it is verified first',
        },
      ],
      acts: true,
      examples: [
        { does: 'everything', run: 'npx ampere verify --all' },
        {
          does: 'a file, against a registry that you know',
          run: 'npx ampere verify record.ampere --registry ID',
        },
      ],
      json: {
        ok: 'false when something is not as it was signed',
        institution: 'as which one its records were opened (with --all)',
        records: 'how many were verified (with --all)',
        blocks: 'how many',
        entries: 'how many',
        erased: 'how many of them are erased',
        notGranted: 'how many the institution may not open (with --all)',
        log: 'of how many blocks the receipts say what: witnessed, logged, promised, overdue, suspect, late; null without a policy',
        complete:
          'as of when how many records are complete by what monitors say, and why others are not: asOf, records, others, and monitors: origin and why of those that did not say so (with --all); of a file height, asOf, why and monitors, as chain show has them',
        mirrors:
          'what each mirror says of each record: chain, institution, origin, says, height, time and detail (with --all)',
        receipts: 'how many are in the file',
        audited:
          'chains and blocks that the home holds; null where a running server does not audit itself for this institution (with --all)',
        served:
          'of the log as everybody can read it: size, and findings (where, status, rule and detail of each); null where no keys of it are pinned (with --all)',
        registryAsOf: 'time of the newest registry block that was used (with --all)',
        chain: 'id of the record (of a file, as all that follow)',
        registry: 'the registry that vouches for it',
        pinned: 'whether that is the registry that is trusted here',
        origin: 'the home that it came from',
        asOf: 'until when it is complete, as the home says',
        statuses: 'the status word of each block, by height',
        erasures: 'who says that erased copies are gone, and who still owes it',
        problems: PROBLEMS,
      },
      exits: {
        1: 'the file is not an export, or it could not be verified',
        3: 'something is not as it was signed; of a file also: it was cut or changed',
      },
      load: async () => (await import('../commands/proof/verify.ts')).verify,
    },
    {
      name: 'audit',
      summary: "Audit the home's stores, and check what the institution's records say",
      about:
        'Blocks, states, key rows and sealed objects of every record, whoever may read it, and the log of them all; a running server audits itself. Then the records that the institution knows are compared with what it saw of them before, opened and checked for consistency. Without --repair nothing is written to the home: new findings are filed, and readings entered in access logs, by a running server.',
      flags: [
        HOME_FLAG,
        { flags: '--stores', about: 'only the stores: nothing is opened' },
        { flags: '--since-last', about: 'of the log only what is new since a server found nothing in it' },
        {
          flags: '--repair',
          about: 'put right of the log what follows from signed data; the server must not be running',
        },
      ],
      acts: true,
      examples: [
        { does: 'is all as it was signed, and does it fit together?', run: 'npx ampere audit' },
        { does: 'the stores alone', run: 'npx ampere audit --stores' },
      ],
      json: {
        ok: 'false when something is not as it was signed',
        chains: 'how many',
        blocks: 'how many',
        entries: 'how many',
        erased: 'how many of them are erased',
        problems: PROBLEMS,
        flags: 'chain, height, flag, detail and since of what is no damage but worth knowing',
        log: 'size, from (the first leaf that was audited), blocks, findings (where, status, rule and detail of each) unlisted (how many more) and earlier (kept checkpoints of an earlier policy, which are no findings)',
        repaired: 'where, status, rule and detail of what --repair put right; null without it',
        contents:
          'records, findings, fresh (not filed yet), failed and unopened (chain and why of each), as the institution reads them; null with --stores',
      },
      load: async () => (await import('../commands/proof/audit.ts')).audit,
    },
    {
      name: 'evidence verify',
      summary: 'Say what an evidence file proves, and against whom',
      about:
        'Needs no server: the file and keys that you trust. Which keys to trust the file does not say: a registry id or a key of the log that came to you on another way.',
      args: [{ name: 'file', about: 'an evidence file (docs/PROTOCOL.md, Evidence)' }],
      flags: [
        { flags: '--registry <id>', about: 'registry to trust (default: that of the data folder, if any)' },
        {
          flags: '--log <vkey>',
          about:
            'verifier key of a log to trust; may be repeated (default: those of the data folder: of its home, and of logs that it cosigns or monitors)',
          parse: (text, before) => [...((before as readonly string[] | undefined) ?? []), text],
        },
        HOME_FLAG,
      ],
      examples: [
        {
          does: 'against the registry of the data folder',
          run: 'npx ampere evidence verify .ampere/evidence/FILE.json',
        },
        { does: 'as a third party', run: 'npx ampere evidence verify FILE.json --registry ID --log VKEY' },
      ],
      json: {
        ok: 'true when the file convinces',
        kind: 'heads, checkpoints, blocks, labels, order, leaf-form or promise',
        against: 'origin of the home or log that it convicts',
        proves: 'in one sentence what is proved',
        registry: 'id and height of the registry by which head keys were judged, or null',
        logs: 'verifier keys of the log that were used',
        whose: 'why each of these is trusted',
        problem: 'why nothing is proved (with ok false)',
      },
      exits: { 1: 'not an evidence file, or not readable', 3: 'the file does not convince' },
      load: async () => (await import('../commands/evidence/verify.ts')).verifyEvidenceFile,
    },
    {
      name: 'evidence list',
      summary: 'List what this installation kept against homes and logs',
      about:
        'Commands and bridges keep a file where a home contradicts what it signed; what the home keeps as a witness or monitor is written to files here. With --cloud that home is asked what it found; the keys are those that were given here.',
      flags: [HOME_FLAG],
      examples: [{ does: 'who was convicted of what', run: 'npx ampere evidence list' }],
      json: {
        ok: 'true',
        folder: 'where the files are',
        items:
          'file, kind, against, proves, and problem where nothing is proved with the keys that are trusted here',
      },
      load: async () => (await import('../commands/evidence/list.ts')).listEvidenceFiles,
    },
  ],
}
