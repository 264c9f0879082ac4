// SPDX-License-Identifier: Apache-2.0
import { CLOUD_FLAG, HOME_FLAG } from '../cloud-flags.ts'
import { graveFlags } from '../deployment.ts'
import type { CommandGroup, FlagSpec } from '../../program/command.ts'

/** Keys of others are taken once somebody compared them. */
const CONFIRM_FLAGS: readonly FlagSpec[] = [
  {
    flags: '--confirm <fingerprint>',
    about: 'the fingerprint as its operator says it, instead of being asked',
  },
  { flags: '--yes', about: 'take what was fetched as it is, instead of being asked' },
]

/** Who must have cosigned what is kept as witnessed. */
const POLICY_FLAG: FlagSpec = {
  flags: '--policy <file>',
  about: 'the policy.txt of that home, from its operator: the keys of its log, and who witnesses it',
}

export const MIRROR: CommandGroup = {
  title: 'Mirrors',
  commands: [
    {
      name: 'mirror join',
      summary: 'Become a mirror of another home, whose operator admits this institution',
      about:
        'Enters an app instance and this deployment in the registry of that home, and mirrors it from the next start on. Before its operator ran mirror admit it says what to tell. The registry and the keys of the log that the home publishes are shown first: compare the fingerprint with what its operator says by another way. Repeating it changes nothing.',
      args: [{ name: 'origin', about: 'of the home, for example https://home.example' }],
      flags: [...CONFIRM_FLAGS, POLICY_FLAG, CLOUD_FLAG],
      acts: true,
      examples: [{ does: 'compare, then confirm', run: 'npx ampere mirror join https://home.example' }],
      json: {
        ok: 'true',
        changed: 'false where all of it was so already',
        deployment: 'id of that home',
        origin: 'where it is',
        registry: 'its registry',
        log: 'keys of its log',
        institution: 'who holds',
        witnessed: 'true where a policy says who must have cosigned what is kept as witnessed',
        effective: 'next-start: when a server takes it up; next-deploy with --cloud',
      },
      load: async () => (await import('../../commands/mirror/join.ts')).joinHome,
    },
    {
      name: 'mirror admit',
      summary: 'Let the institution of another deployment become a mirror of this home',
      about:
        'Admits it to the registry, by more than half of its members, whose keys must be here. It may do nothing by that: grant it each record with --hold. The server of the other deployment must run; its keys are shown first: compare the fingerprint with what its operator says by another way. Admitting again changes nothing.',
      args: [{ name: 'origin', about: 'of the other deployment, for example https://st-mary.example' }],
      flags: [...CONFIRM_FLAGS, HOME_FLAG],
      acts: true,
      examples: [{ does: 'compare, then confirm', run: 'npx ampere mirror admit https://st-mary.example' }],
      json: {
        ok: 'true',
        changed: 'false where it was admitted already',
        institution: 'id of the institution',
        fingerprint: 'of its keys: 128 bits of their SHA-256, in hexadecimal',
        home: 'the fingerprint of this home, which its operator confirms there',
      },
      load: async () => (await import('../../commands/mirror/admit.ts')).admitMirror,
    },
    {
      name: 'mirror add',
      summary: 'Keep a sealed copy of what another home grants an institution of this computer to hold',
      about:
        'The running server copies every minute, verifies all that it copies, and opens nothing. The institution must be in the registry of that home, with an active app instance whose key is here.',
      args: [{ name: 'origin', about: 'of the home, for example https://home.example' }],
      flags: [
        { flags: '--registry <id>', about: 'the registry of that home (default: that of the data folder)' },
        POLICY_FLAG,
      ],
      acts: true,
      examples: [
        {
          does: 'mirror a home',
          run: 'npx ampere mirror add https://home.example --policy home-policy.txt --as hospital-b',
        },
      ],
      json: {
        ok: 'true',
        deployment: 'id of that home',
        origin: 'where it is',
        registry: 'its registry',
        log: 'keys of its log',
        institution: 'who holds',
        witnessed: 'true where a policy says who must have cosigned what is kept as witnessed',
      },
      load: async () => (await import('../../commands/mirror/add.ts')).addMirrored,
    },
    {
      name: 'mirror status',
      summary:
        'List the homes that are mirrored here, what came of the last run, and the fingerprints of this deployment',
      about:
        'Of each home what was copied and when, and why runs fail since. A run that fails because the home cannot be reached counts after five minutes. With --cloud the home says it to its institution, whose app instance asks.',
      flags: [HOME_FLAG],
      examples: [{ does: 'is the copy whole?', run: 'npx ampere mirror status' }],
      json: {
        ok: 'false when a home was never copied, has lost something, contradicts its copy, or is not reached for minutes',
        home: 'fingerprint of this home, which operators of mirrors confirm',
        institution: 'fingerprint of the institution of this deployment, which operators of homes confirm',
        homes:
          'of each deployment, origin, institution, last (time, chains, logSize and problems of the last round, or null), failed (code, rule, time and since of the runs that failed since one did not, or null) and verdict: ok, unreached, wrong, or with --cloud unseen, where the home is not deployed so yet',
      },
      exits: {
        1: 'a home was not reached for more than five minutes',
        3: 'a home was never copied, has lost something, or contradicts its copy',
      },
      load: async () => (await import('../../commands/mirror/status.ts')).mirrorStatus,
    },
    {
      name: 'mirror remove',
      summary: 'Mirror a home no more, and delete the copy of it',
      about:
        'After you named it, with the server stopped. The sealed copy and its keys go for good; kept are the newest checkpoint that its log signed, as a file in the folder `evidence`, and all evidence. Nothing changes at that home: mirror join begins anew, or its operator ends the grants.',
      args: [{ name: 'origin', about: 'of the home, as mirror status has it' }],
      flags: graveFlags('the origin of the home'),
      examples: [
        { does: 'after a fork, to begin anew', run: 'npx ampere mirror remove https://home.example' },
      ],
      json: {
        ok: 'true',
        removed: 'whether it was removed',
        dryRun: 'whether --dry-run was given',
        deployment: 'id of that home',
        origin: 'where it is',
        checkpoint: 'the file with what its log signed last; null where nothing was copied of it, or removed',
      },
      load: async () => (await import('../../commands/mirror/remove.ts')).removeMirrored,
    },
    {
      name: 'mirror restore',
      summary: 'Restore the lost home of this data folder from a mirror',
      about:
        "Needs the home's key file, settings and passphrase, and institutions/, from their own backup. All is verified before it is stored, erasures are carried out again, and the log goes on where it was. A server gives the copy to the institution of the home alone. What was interrupted is gone on with.",
      args: [
        { name: 'source', about: 'URL of the server of the mirror, or its data folder, or a copy of that' },
      ],
      flags: [
        { flags: '--accept-loss', about: 'go on without what is known to be lost, and name it' },
        { flags: '--without-witness', about: 'go on although a witness of the policy gives no checkpoint' },
      ],
      acts: true,
      examples: [
        { does: 'from its server', run: 'npx ampere mirror restore https://mirror.example' },
        { does: 'from its folder', run: 'npx ampere mirror restore /mnt/mirror --data /srv/ampere' },
      ],
      json: {
        ok: 'true',
        chains: 'how many were restored',
        blocks: 'how many are in them',
        erasures: 'how many were carried out again',
        logSize: 'entries of the log, which goes on after them',
        logSignedAt: 'when the log signed the newest of them, by its own keys',
        unexplained: 'how many of these are of chains that the mirror does not hold',
        losses: 'chain, height and rule of what is known to be lost',
        unwitnessed:
          'tree sizes of the checkpoints that were left out, because they lack the quorum of policy.txt',
        kept: 'where the folder of the lost home is, with a copy of its key file; nothing needs it any more',
        witness:
          'name and fingerprint of the keys of its witness, which are new: no mirror has what it cosigned',
        notHeld: 'chains that institutions of this folder saw, and that the mirror does not have',
        since:
          'what was acknowledged after this time, of which the mirror says that it copied last, may be lost',
      },
      exits: { 3: 'something is not as it was signed, or is lost' },
      load: async () => (await import('../../commands/mirror/restore.ts')).restoreFromMirror,
    },
  ],
}
