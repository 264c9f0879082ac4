// SPDX-License-Identifier: Apache-2.0
import { CLOUD_FLAG, HOME_FLAG } from '../cloud-flags.ts'
import { parseCount } from '../../program/arguments.ts'
import type { CommandGroup, FlagSpec } from '../../program/command.ts'

const WITNESS =
  'name of its keys, url, fingerprint of its keys, mark (where it is on this machine), and cosigned: size in leaves and time in POSIX seconds, or null'

/** Where the keys of another home come from; without one they are fetched from it. */
export const KEY_FLAGS: readonly FlagSpec[] = [
  {
    flags: '--key <vkey>',
    about:
      'a verifier key as its operator gave it; several times, for all its keys. A URL beside it is that of the witness itself',
    parse: (text, before) => [...((before ?? []) as readonly string[]), text],
  },
  {
    flags: '--keys <file>',
    about: 'a file with its keys, as ampere witness status --keys prints them there',
  },
  { flags: '--confirm <fingerprint>', about: 'the fingerprint of its keys, instead of being asked' },
  { flags: '--yes', about: 'take the keys that were fetched as they are, instead of being asked' },
]

const HOME_ARGUMENT = { name: 'url', about: 'the other home, or its witness', optional: true }
const FINGERPRINT = 'of its keys: 128 bits of their SHA-256, in hexadecimal'

export const WITNESSES: CommandGroup = {
  title: 'Witnesses',
  commands: [
    {
      name: 'witness status',
      summary: "Ask the witnesses of the home's log what they have cosigned",
      about:
        "Says of each witness in policy.txt what it cosigned last, whether it answers, and whether that is the history that is stored here. With --keys it prints what other operators need instead: to ask the home's witness, and to cosign its log.",
      flags: [HOME_FLAG, { flags: '--keys', about: "the keys of the home's log and witness, to hand over" }],
      examples: [
        { does: 'is the log witnessed?', run: 'npx ampere witness status' },
        { does: 'for another operator', run: 'npx ampere witness status --keys > our-keys.txt' },
      ],
      json: {
        ok: 'false where the quorum is not reached, or a witness contradicts what is stored here',
        log: 'name of the log',
        size: 'leaves of its newest checkpoint',
        quorum:
          'need and of: how many organisations must cosign; null where policy.txt says it in another form',
        reached: 'whether the newest checkpoint has the quorum, not older than two hours while it is served',
        trouble: 'why the log cannot go on, or null',
        witnesses: `${WITNESS} (as it shows it now); reachable, why (nothing can be seen there, or null), alarm (rollback, fork or null), last (size and time of what it cosigned before the newest checkpoint, as kept here, or null)`,
        fingerprints: 'of the keys of log and witness (with --keys)',
        lines: 'what is to be handed over (with --keys)',
      },
      exits: {
        1: 'the quorum is not reached',
        3: 'a witness has cosigned more than is stored here, or another history',
      },
      load: async () => (await import('../../commands/witness/status.ts')).witnessStatus,
    },
    {
      name: 'witness list',
      summary: 'List who witnesses this log, and whose logs this home witnesses',
      about:
        'Asks nobody: it says what is stored here. With --cloud, what a home in a cloud is told when it is deployed.',
      flags: [CLOUD_FLAG],
      examples: [{ does: 'both directions', run: 'npx ampere witness list' }],
      json: {
        ok: 'true',
        quorum: 'need and of: how many organisations must cosign; null where nobody witnesses',
        witnesses: `${WITNESS} (of the newest checkpoint), last (what it cosigned before that, as kept here, or null)`,
        logs: "origin, fingerprint of its keys, cosigned (as above) and evidence (proofs of two histories, leads) of each log that the home's witness cosigns; with fingerprint null of those that it cosigns no more and has something against",
      },
      load: async () => (await import('../../commands/witness/list.ts')).listWitnesses,
    },
    {
      name: 'witness add',
      summary: "Ask another home's witness to cosign this log",
      about:
        'Puts its keys into policy.txt as one organisation. Keys that are fetched are shown first: compare the fingerprint with what its operator says by another way. A server reads policy.txt when it starts. Adding again changes nothing.',
      args: [HOME_ARGUMENT],
      flags: [
        ...KEY_FLAGS,
        CLOUD_FLAG,
        {
          flags: '--quorum <count>',
          about: 'how many organisations must cosign (default: more than half)',
          parse: parseCount,
        },
      ],
      examples: [
        { does: 'compare, then confirm', run: 'npx ampere witness add https://st-mary.example' },
        { does: 'with keys from its operator', run: 'npx ampere witness add --keys st-mary.txt' },
      ],
      json: {
        ok: 'true',
        changed: 'false where it was there already',
        name: 'of its keys',
        url: 'where it is asked',
        fingerprint: FINGERPRINT,
        quorum: 'need and of: how many organisations must cosign',
        effective: 'next-start: when a server takes it up; next-deploy with --cloud',
      },
      load: async () => (await import('../../commands/witness/add.ts')).addWitness,
    },
    {
      name: 'witness remove',
      summary: 'Ask a witness to cosign this log no more',
      about:
        'Takes its keys out of policy.txt, after you agreed. As many organisations must cosign as before, unless --quorum says otherwise; where those that are left could not, nothing is changed. A server reads policy.txt when it starts. One that is not there is refused.',
      args: [{ name: 'witness', about: 'its name as witness list has it, its URL, or that of its home' }],
      flags: [
        {
          flags: '--quorum <count>',
          about: 'how many organisations must cosign from then on (default: as before)',
          parse: parseCount,
        },
        { flags: '--yes', about: 'agree, instead of being asked' },
        CLOUD_FLAG,
      ],
      examples: [
        { does: 'one of three', run: 'npx ampere witness remove https://st-mary.example' },
        { does: 'one of two', run: 'npx ampere witness remove st-mary.example/witness --quorum 1' },
      ],
      json: {
        ok: 'true',
        changed: 'false where it was not asked',
        name: 'of its keys',
        quorum: 'need and of: how many organisations must cosign',
        effective: 'next-start: when a server takes it up; next-deploy with --cloud',
      },
      load: async () => (await import('../../commands/witness/remove.ts')).removeWitness,
    },
    {
      name: 'witness accept',
      summary: "Let the home's witness cosign another home's log",
      about:
        'From then on checkpoints of that log are cosigned, each only if it continues the one before. Its keys are confirmed as with witness add. It holds at once, also in a server that runs.',
      args: [HOME_ARGUMENT],
      flags: [
        ...KEY_FLAGS,
        CLOUD_FLAG,
        { flags: '--stop <log>', about: 'cosign that log no longer; give its name' },
      ],
      examples: [
        { does: 'compare, then confirm', run: 'npx ampere witness accept https://st-mary.example' },
        { does: 'with keys from its operator', run: 'npx ampere witness accept --keys st-mary.txt' },
        { does: 'no longer', run: 'npx ampere witness accept --stop st-mary.example/log' },
      ],
      json: {
        ok: 'true',
        changed: 'false where it was so already',
        log: 'name of the log',
        fingerprint: `${FINGERPRINT}; null with --stop`,
        effective: 'now; next-deploy with --cloud',
      },
      load: async () => (await import('../../commands/witness/accept.ts')).acceptLog,
    },
    {
      name: 'witness renew',
      summary: "Give the home's witness new keys",
      about:
        'For a data folder that was put back from an older copy: its witness has forgotten what it cosigned since, and would cosign a second history of a log with the same keys. The new keys have cosigned nothing; logs that it cosigns, and evidence, stay. Refused while the home is served. mirror restore does so by itself.',
      flags: [{ flags: '--yes', about: 'agree, instead of being asked' }],
      examples: [
        { does: 'after a copy was put back', run: 'npx ampere witness renew' },
        { does: 'without being asked', run: 'npx ampere witness renew --yes' },
      ],
      json: {
        ok: 'true',
        name: 'of its keys',
        fingerprint: FINGERPRINT,
        before: 'fingerprint of the keys that are gone',
        removed: 'how many logs are cosigned no more, because their rows were damaged',
      },
      load: async () => (await import('../../commands/witness/renew.ts')).renewWitness,
    },
  ],
}
