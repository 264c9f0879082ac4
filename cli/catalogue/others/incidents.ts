// SPDX-License-Identifier: Apache-2.0
import { HOME_FLAG } from '../cloud-flags.ts'
import { parsePerMinute, parseSince } from '../../program/arguments.ts'
import type { CommandGroup } from '../../program/command.ts'

const OPEN =
  'chain, why (not-controlled, controller-removed, no-keys, moved, not-found, refused, unreachable, unverified), code, readers and since of each record of which not all could be done'

/** What follows where a key was lost, or a reader is one no longer. */
export const INCIDENTS: CommandGroup = {
  title: 'Rotation and incidents',
  commands: [
    {
      name: 'rotation status',
      summary: 'Say which records need new keys, and how far giving them has come',
      about:
        'New keys are due where the registry removed a reader, where a grant has ended, and where an app instance of a reader was revoked since the keys were made. A running server and the bridge in a cloud give them by themselves.',
      flags: [HOME_FLAG, { flags: '--no-look', about: 'only what is kept, without asking for each record' }],
      acts: true,
      examples: [{ does: 'is anything due?', run: 'npx ampere rotation status' }],
      json: {
        ok: 'false where something is due, or waits for somebody here',
        state: 'never-ran, running, paused or done',
        perMinute: 'chains that get new keys in a minute, at most',
        round:
          'began, ended (null while it goes on), looked, rotated and open of the last round; null before the first',
        estimate:
          'records, due, blocks, atLeastSeconds and msPerChain (null before the first); null with --no-look',
        due: 'chain and readers of each record for which new keys are due (not with --no-look)',
        open: OPEN,
      },
      exits: { 1: 'something is due, or waits for somebody here' },
      load: async () => (await import('../../commands/rotation/status.ts')).rotationStatus,
    },
    {
      name: 'rotation run',
      summary: 'Give every record that needs them new keys',
      about:
        'Says first how much there is to do. It may be stopped at any time, and goes on where it was. Beside a running server both may do it. What cannot be done is listed, and tried again later.',
      flags: [
        HOME_FLAG,
        {
          flags: '--per-minute <chains>',
          about: 'chains that get new keys in a minute, at most, from now on (at first 120)',
          parse: parsePerMinute,
        },
        { flags: '--dry-run', about: 'only say how much there is to do' },
      ],
      acts: true,
      examples: [
        { does: 'how much is it?', run: 'npx ampere rotation run --dry-run' },
        { does: 'slowly, in office hours', run: 'npx ampere rotation run --per-minute 20' },
      ],
      json: {
        ok: 'false where something waits for somebody here',
        dryRun: 'whether --dry-run was given',
        estimate:
          'records, due, blocks, atLeastSeconds and msPerChain (null before the first), before it began',
        state: 'done, or paused where somebody paused it meanwhile',
        rotated: 'chains that got new keys',
        open: OPEN,
      },
      exits: { 1: 'not everything could be done here' },
      load: async () => (await import('../../commands/rotation/run.ts')).rotationRun,
    },
    {
      name: 'rotation pause',
      summary: 'Give no record new keys until rotation run is called',
      about: 'Holds for every process of the institution. What is due stays due, and is shown.',
      flags: [HOME_FLAG],
      acts: true,
      examples: [{ does: 'while the home is busy', run: 'npx ampere rotation pause' }],
      json: { ok: 'true', state: 'paused' },
      load: async () => (await import('../../commands/rotation/pause.ts')).rotationPause,
    },
    {
      name: 'incident report',
      summary: 'Say what a lost key, app instance or institution could write and read',
      about:
        'For a notice of a breach: which records, which blocks with what the log proves of them, what could be opened and since when, which readings are known, and what is not known. Nothing medical is in it. Only records that the institution knows.',
      flags: [
        HOME_FLAG,
        { flags: '--kid <id>', about: 'of one key' },
        { flags: '--instance <id>', about: 'of all keys that an app instance had' },
        { flags: '--institution <id>', about: 'of all app instances of an institution' },
        { flags: '--from <time>', about: 'a day or a time: only what came then or later', parse: parseSince },
        { flags: '--to <time>', about: 'a day or a time: only what came before', parse: parseSince },
        { flags: '--out <file>', about: 'write it to a file that only its owner may read (JSON)' },
      ],
      acts: true,
      examples: [
        {
          does: 'a key was stolen',
          run: 'npx ampere incident report --instance hospital-b-2 --from 2026-11-01',
        },
        { does: 'for the notice', run: 'npx ampere incident report --kid 7Qk2 --out report.json' },
      ],
      json: {
        ok: 'true',
        file: 'where it was written; null without --out',
        report:
          'v, made, by, asOf (registry head), subject (keys, institutions), window, records and notKnown; docs/OPERATIONS.md says what is in it',
      },
      load: async () => (await import('../../commands/rotation/incident.ts')).incidentReport,
    },
  ],
}
