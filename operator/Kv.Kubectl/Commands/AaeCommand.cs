using System.CommandLine;
using System.Diagnostics;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv aae</c>: how replicas find out by themselves that they differ, and a comparison before its turn.</summary>
internal static class AaeCommand
{
    private static readonly TimeSpan AskInterval = TimeSpan.FromMilliseconds(500);

    public static Command Create(CommandSession session) =>
        new("aae", "Show active anti-entropy: replicas that compare hash trees and repair what differs.")
        {
            Status(session),
            Repair(session),
        };

    public static Command Status(CommandSession session, string name = "status")
    {
        var command = new Command(name, "Show hash trees, and the last comparison of each two replicas.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var answers = await EachMember.AskAsync(
                caller,
                await ClusterAsync(caller, cancel),
                (_, address, stop) => caller.AdminOfAsync(address, (client, options) => client.GetAntiEntropyAsync(new GetAntiEntropyRequest(), options), stop),
                cancel);
            await PrintAsync(session, parsed, answers, cancel);
            return answers.Values.Any(answer => answer?.KeyRepair is { } repair && AaeOutput.HasFailed(repair)) ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static Command Repair(CommandSession session)
    {
        var partition = new Argument<int?>("PARTITION") { Description = "Its number on the ring (kv ring shows them).", Arity = ArgumentArity.ZeroOrOne };
        var keys = new KeyRangeOptions();
        var command = new Command(
            "repair", "Compare a partition with all replicas of its keys now, or read all keys of --bucket from their replicas, and repair what differs; waits for the end, up to --timeout.") { partition };
        keys.AddTo(command);
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var number = parsed.GetValue(partition);
            if (keys.Read(parsed) is { } range)
            {
                return number is null ? await RepairKeysAsync(session, parsed, caller, range, cancel) : throw CliException.Usage("name a PARTITION or a --bucket, not both");
            }

            return await RepairPartitionAsync(session, parsed, caller, number ?? throw CliException.Usage("name a PARTITION or a --bucket"), cancel);
        });
        return command;
    }

    private static async Task<ExitCode> RepairKeysAsync(CommandSession session, ParseResult parsed, NodeCaller caller, RepairKeysRequest range, CancellationToken cancel)
    {
        var begun = (await caller.AdminAsync((client, options) => client.RepairKeysAsync(range, options), cancel)).KeyRepair;
        var repair = await FollowAsync(
            session,
            parsed,
            begun,
            repair => repair.Running,
            async before => (await caller.AdminAsync((client, options) => client.GetAntiEntropyAsync(new GetAntiEntropyRequest(), options), cancel)).KeyRepair is { } now && IsSame(before, now)
                ? now
                : throw new CliException(ExitCode.Unavailable, "the node that repairs the keys does not answer any more, or was started anew: kv aae status shows how repairs go"),
            cancel);
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(AaeOutput.ToJson(repair), cancel);
        }
        else
        {
            session.Tables.Line(AaeOutput.TextOf(repair));
        }

        return repair.Running ? await GoesOnAsync(session) : AaeOutput.HasFailed(repair) ? ExitCode.Failed : ExitCode.Ok;
    }

    /// <summary>Another node, or the same after a restart, has none or began it later.</summary>
    private static bool IsSame(KeyRepair before, KeyRepair now) =>
        (before.BucketType, before.Bucket, before.From, before.To) == (now.BucketType, now.Bucket, now.From, now.To) && now.MillisecondsTaken >= before.MillisecondsTaken;

    private static async Task<ExitCode> RepairPartitionAsync(CommandSession session, ParseResult parsed, NodeCaller caller, int number, CancellationToken cancel)
    {
        var cluster = await ClusterAsync(caller, cancel);
        if (number < 0 || number >= cluster.Owners.Count)
        {
            throw CliException.Usage($"there is no partition {Words.Number(number)}: the ring has 0 to {Words.Number(cluster.Owners.Count - 1)}");
        }

        var owner = cluster.Members[(int)cluster.Owners[number]];
        var request = new RepairPartitionRequest { Partition = number };
        var begun = Only(await caller.AdminOfAsync(owner, (client, options) => client.RepairPartitionAsync(request, options), cancel), number);
        var answer = await FollowAsync(
            session,
            parsed,
            begun,
            IsWanted,
            async _ => Only(await caller.AdminOfAsync(owner, (client, options) => client.GetAntiEntropyAsync(new GetAntiEntropyRequest(), options), cancel), number),
            cancel);
        await PrintAsync(session, parsed, new SortedDictionary<string, AntiEntropy?>(StringComparer.Ordinal) { [owner.Name] = answer }, cancel);
        return IsWanted(answer) ? await GoesOnAsync(session) : ExitCode.Ok;

        static bool IsWanted(AntiEntropy answer) => answer.Exchanges.Any(exchange => exchange.Wanted);
    }

    /// <summary>What a repair has come to when it has ended, or when the command's time is over.</summary>
    private static async Task<T> FollowAsync<T>(CommandSession session, ParseResult parsed, T begun, Func<T, bool> isRunning, Func<T, Task<T>> ask, CancellationToken cancel)
    {
        var (timeout, began) = (session.Connection.Read(parsed).Timeout, Stopwatch.GetTimestamp());
        var last = begun;
        while (isRunning(last) && Stopwatch.GetElapsedTime(began) + AskInterval < timeout)
        {
            await Task.Delay(AskInterval, cancel);
            last = await ask(last);
        }

        return last;
    }

    private static async Task<ExitCode> GoesOnAsync(CommandSession session)
    {
        await session.Terminal.Error.WriteLineAsync("kv: the repair has not ended within --timeout, and goes on: kv aae status shows how");
        return ExitCode.Unavailable;
    }

    private static Task<Cluster> ClusterAsync(NodeCaller caller, CancellationToken cancel) =>
        caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel);

    private static AntiEntropy Only(AntiEntropy answer, int partition) => new()
    {
        On = answer.On,
        Trees = { answer.Trees.Where(tree => tree.Partition == partition) },
        Exchanges = { answer.Exchanges.Where(exchange => exchange.Partition == partition) },
    };

    private static async Task PrintAsync(CommandSession session, ParseResult parsed, SortedDictionary<string, AntiEntropy?> answers, CancellationToken cancel)
    {
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(AaeOutput.ToJson(answers), cancel);
            return;
        }

        AaeOutput.Print(session.Tables, answers);
        var silent = answers.Where(answer => answer.Value is null).Select(answer => answer.Key).ToList();
        if (silent.Count > 0)
        {
            await session.Terminal.Error.WriteLineAsync($"kv: without those of {string.Join(", ", silent)}, which did not answer");
        }
    }
}
