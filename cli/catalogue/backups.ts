// SPDX-License-Identifier: Apache-2.0
import { parseDays, parsePort } from '../program/arguments.ts'
import type { CommandGroup } from '../program/command.ts'
import { CLOUDS } from '../cloud/clouds.ts'
import { PARAM } from './cloud.ts'
import { HOME_FLAG } from './cloud-flags.ts'
import { graveFlags } from './deployment.ts'

export const BACKUPS: CommandGroup = {
  title: 'Backups',
  commands: [
    {
      name: 'backup',
      summary: 'Back the home of this data folder, or one in a cloud, up into another folder',
      about:
        'All that it holds of records, registry and log, sealed as it is; no key. Beside a running server or without one. What was interrupted is gone on with; a backup that is whole stays as it is, so each one has a folder of its own. The home states of all that it erases how long backups may have it: the longest that --keep-days was ever given. When it changes, restart the server before; a home in a cloud is deployed again. One in a cloud is read with the right to do that alone: on AWS whoever backs up takes on the role ampere-STAGE-backup, on Azure the parameter backupPrincipal names who may.',
      flags: [
        { flags: '--to <folder>', about: 'where the backup goes, outside the data folder' },
        {
          flags: '--keep-days <days>',
          about: 'after so many days this backup is to be removed (default: as before)',
          parse: parseDays,
        },
        HOME_FLAG,
      ],
      examples: [
        { does: 'the first time', run: 'npx ampere backup --to /mnt/backups/2026-11-29 --keep-days 30' },
        { does: 'each day', run: 'npx ampere backup --to /mnt/backups/2026-11-30' },
        {
          does: 'a home in a cloud',
          run: 'npx ampere backup --to /mnt/backups/2026-11-30 --cloud aws-prod',
        },
      ],
      json: {
        ok: 'true',
        folder: 'the folder of the backup',
        chains: 'how many are in it',
        blocks: 'how many are in them',
        objects: 'how many sealed objects',
        logFiles: 'tiles and bundles of the log',
        time: 'what was acknowledged before it is in the backup',
        expires: 'when the backup is to be gone',
        digest: 'SHA-256 of its manifest, which names all parts with theirs',
        resumed: 'whether an earlier run had begun it',
      },
      load: async () => (await import('../commands/backup/backup.ts')).backUpOn(CLOUDS),
    },
    {
      name: 'restore',
      summary: 'Restore the lost home of this data folder from a backup',
      about:
        "Needs the home's key file, settings and passphrase, and institutions/, from their own backup. All is verified before it is stored, and what was erased is erased again before anything is served. The log goes on where it was: where witnesses saw more of it than the backup and --newer have, nothing is restored. What was interrupted is gone on with. --drill needs no lost home, and changes none; with --cloud it tries a backup of a home in a cloud. Such a home is not restored but moved: migrate --from BACKUP --cloud.",
      flags: [
        { flags: '--from <folder>', about: 'the folder of the backup' },
        {
          flags: '--newer <source>',
          about:
            'what was acknowledged since: a later backup, a mirror by its folder or URL, or a data folder of the home',
        },
        {
          flags: '--verify',
          about: 'before it takes its place audit what was restored, and compare it with the backup',
        },
        {
          flags: '--drill',
          about:
            'try it: restore into a folder for the time being, with the erasures since, look at it, remove it',
        },
        { flags: '--accept-loss', about: 'go on without what is known to be lost, and name it' },
        { flags: '--without-witness', about: 'go on although a witness of the policy gives no checkpoint' },
        { flags: '--expired', about: 'take a backup that should be gone by now' },
        { ...HOME_FLAG, about: `with --drill: ${HOME_FLAG.about}` },
      ],
      acts: true,
      examples: [
        { does: 'would it work?', run: 'npx ampere restore --from /mnt/backups/2026-11-29 --drill' },
        {
          does: 'the home is lost',
          run: 'npx ampere restore --from /mnt/backups/2026-11-29 --newer https://mirror.example --verify',
        },
      ],
      json: {
        ok: 'with --drill false where anything differs that no erasure explains; else true',
        chains: 'how many were restored',
        blocks: 'how many are in them',
        erasures: 'how many were carried out again',
        logSize:
          'entries of the log, which goes on after them (not with --drill, as all that follow but the last three)',
        logSignedAt: 'when the log signed the newest of them, by its own keys',
        unexplained: 'how many of these are of chains that are not in the backup',
        losses: 'chain, height and rule of what is known to be lost',
        unwitnessed:
          'tree sizes of the checkpoints that were left out, because they lack the quorum of policy.txt',
        kept: 'where the folder of the lost home is, with a copy of its key file; nothing needs it any more',
        witness: 'name and fingerprint of the keys of its witness, which are new',
        notHeld: 'chains that institutions of this folder saw, and that are not in the backup',
        since: 'what was acknowledged after this time may be lost',
        time: 'with --drill, when the backup was begun',
        compared: 'with --verify or --drill: what was compared with the backup, and all that differs',
        findings: 'with --verify or --drill: what an audit of it found',
      },
      exits: { 3: 'something is not as it was signed or backed up, or is lost' },
      load: async () => (await import('../commands/backup/restore.ts')).restoreOn(CLOUDS),
    },
    {
      name: 'migrate',
      summary: 'Move the home of this data folder into a new home, in another folder or in a cloud',
      about:
        "The new home is a deployment of its own in the same registry, with keys, a log and an address of its own. Stop the server before. Nothing is changed unless all can go: the registry (root keys of more than half of its members are here), and every chain (controllers whose keys are here suffice). All chains are copied, verified and compared byte by byte; then these controllers sign that they move, and only the new home takes blocks. What was interrupted is gone on with. The old folder stays, with the log that old receipts are of, and starts no more. Into a cloud: what the new home keeps is made there without a registry, filled by rights that exist for that time alone, and answers once it has everything; its institutions' keys go into the folder cloud/PROVIDER-STAGE.",
      flags: [
        {
          flags: '--from <source>',
          about:
            'a home in a cloud instead of that of this folder: a stage that was deployed from here, such as aws-prod',
        },
        { flags: '--to <target>', about: 'where the new home goes: a folder, or a stage such as aws-prod' },
        {
          flags: '--port <port>',
          about: 'port of the new home (default: the first free one from 7310 on)',
          parse: parsePort,
        },
        { flags: '--region <region>', about: 'of a cloud: where, as for deploy' },
        { flags: '--subscription <id>', about: 'of Azure: in which subscription' },
        PARAM,
        {
          flags: '--newer <source>',
          about: 'of a backup: what was acknowledged since, as for restore',
        },
        { flags: '--accept-loss', about: 'of a backup: go on without what is known to be lost' },
        { flags: '--without-witness', about: 'of a backup: go on although a witness gives no checkpoint' },
        { flags: '--expired', about: 'take a backup that should be gone by now' },
        {
          ...HOME_FLAG,
          about: 'of a backup: the home in a cloud that it is of, and that is gone, such as aws-prod',
        },
      ],
      examples: [
        { does: 'move it', run: 'npx ampere migrate --to /srv/ampere' },
        {
          does: 'from one cloud into the other',
          run: 'npx ampere migrate --from aws-prod --to azure-prod --region westeurope',
        },
        {
          does: 'a home that is gone, keys and all',
          run: 'npx ampere migrate --from /mnt/backups/2026-11-29 --to /srv/ampere',
        },
        {
          does: 'a home in a cloud that is gone',
          run: 'npx ampere migrate --from /mnt/backups/2026-11-29 --cloud aws-prod --to aws-prod2 --region eu-west-1',
        },
        { does: 'into a cloud', run: 'npx ampere migrate --to aws-prod --region eu-central-1' },
      ],
      json: {
        ok: 'true, or false with waiting alone: then nothing was changed, and the exit code is 1',
        folder: 'the folder of the new home',
        deployment: 'its name in the registry',
        origin: 'its address',
        moved: 'chains that are at the new home',
        waiting:
          'instead of the others: chains that cannot go now, how many must approve (threshold), and whose keys are not here (missing)',
        ended: 'chains that were erased as a whole, which nobody moves',
        receipts: 'how many receipts of the old log came over',
        unlogged: 'blocks that the old home never logged',
        compared: 'what was compared with the old home, and all that differs',
      },
      exits: { 3: 'something is not as it was signed, or differs' },
      load: async () => (await import('../commands/backup/migrate.ts')).migrateOn(CLOUDS),
    },
    {
      name: 'retire',
      summary: 'Say that the stores of a home that was left are destroyed',
      about:
        'A home that records left keeps a copy of what it had, and an erasure of that waits for it. Once its data folder, its backups and all copies are destroyed, its institution says so in the registry, for good: then nobody waits. Nobody checks it, except that no chain in the stores of this folder may be at home there still.',
      args: [{ name: 'deployment', about: 'its name in the registry, as home-1' }],
      flags: graveFlags("the deployment's name"),
      acts: true,
      examples: [{ does: 'after the old folder is gone', run: 'npx ampere retire home-1' }],
      json: {
        ok: 'true',
        dryRun: 'whether nothing was done',
        deployment: 'its name',
        origin: 'its address',
        kid: 'the key that is revoked',
      },
      load: async () => (await import('../commands/backup/retire.ts')).retire,
    },
  ],
}
