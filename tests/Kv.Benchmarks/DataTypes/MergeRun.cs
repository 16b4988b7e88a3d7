using System.Diagnostics;
using System.Globalization;
using System.Text;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Rings;

namespace Kv.Benchmarks.DataTypes;

/// <summary>
/// What a large set and a large map cost by themselves, without a node: reading and writing their bytes, merging two replicas that hold the same, and two of which each has a hundredth changed
/// while the other had not heard of it, and the whole of an update on its coordinating vnode.
/// </summary>
internal sealed class MergeRun(BenchOptions options)
{
    private static readonly ActorId[] Vnodes = [new(new NodeId(1), new PartitionId(0), 1), new(new NodeId(2), new PartitionId(0), 1), new(new NodeId(3), new PartitionId(0), 1)];

    public int Run()
    {
        var members = options.DataTypeMembers;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a set of {members} members and a map of {Math.Max(1, members / 10)} fields, one thread, {options.Seconds} s each"));
        Console.WriteLine("| state | bytes | what | CPU us | allocated KiB |");
        Console.WriteLine("|---|---|---|---|---|");
        Measure("set", Whole(members, Members), Half(members, Members), Members(0, 1));
        Measure("map", Whole(Math.Max(1, members / 10), Fields), Half(Math.Max(1, members / 10), Fields), Fields(0, 1));
        return 0;
    }

    /// <summary>Made by three vnodes in turns, a hundred changes each time, as it would have come about.</summary>
    private static CausalDataType Whole(int count, Func<int, int, DataTypeOperation> operation)
    {
        var state = DataType.Empty(operation(0, 1).Kind, HyperLogLog.LeastPrecision);
        for (var (from, turn) = (0, 1UL); from < count; from += 100, turn++)
        {
            state = Do(state, operation(from, Math.Min(100, count - from)), Vnodes[turn % 3], turn);
        }

        return (CausalDataType)state;
    }

    /// <summary>The same, and two replicas of it of which each has changed another hundredth.</summary>
    private static (DataType One, DataType Other) Half(int count, Func<int, int, DataTypeOperation> operation)
    {
        var state = Whole(count, operation);
        var changed = Math.Max(1, count / 100);
        var turn = (ulong)count + 1;
        return (Do(state, operation(0, changed), Vnodes[0], turn), Do(state, operation(count - changed, changed), Vnodes[1], turn));
    }

    private static DataType Do(DataType state, DataTypeOperation operation, ActorId vnode, ulong counter) =>
        state.Apply(operation, new DataTypeEvent(new Dot(vnode, counter), 1_700_000_000_000_000 + (long)counter, null), out _) ?? throw new UnreachableException("nothing is removed");

    private static DataTypeOperation Members(int from, int count) => new DataTypeOperation.ChangeSet([.. Enumerable.Range(from, count).Select(Name)], []);

    /// <summary>Half of the fields are registers, the others counters.</summary>
    private static DataTypeOperation Fields(int from, int count) => new DataTypeOperation.ChangeMap(
        [
            .. Enumerable.Range(from, count).Select(at => at % 2 == 0
                ? KeyValuePair.Create<FieldName, DataTypeOperation>(new(Name(at), DataTypeKind.Register), new DataTypeOperation.Assign(Name(at)))
                : KeyValuePair.Create<FieldName, DataTypeOperation>(new(Name(at), DataTypeKind.Counter), new DataTypeOperation.Increment(at))),
        ],
        []);

    private static ReadOnlyMemory<byte> Name(int at) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"member-{at:d8}"));

    private void Measure(string name, CausalDataType whole, (DataType One, DataType Other) replicas, DataTypeOperation update)
    {
        var bytes = DataTypeCodec.Encode(whole);
        var again = Decoded(bytes);
        var counter = 1UL << 40;
        Print(name, bytes.Length, "read", () => Decoded(bytes));
        Print(name, bytes.Length, "write", () => DataTypeCodec.Encode(whole));
        Print(name, bytes.Length, "merge of two that are the same", () => whole.Merge(again));
        Print(name, bytes.Length, "merge of two that each changed a hundredth", () => replicas.One.Merge(replicas.Other));
        Print(name, bytes.Length, "update of one: read, change, write", () => DataTypeCodec.Encode(Do(Decoded(bytes), update, Vnodes[0], counter++)));
    }

    private static DataType Decoded(ReadOnlyMemory<byte> bytes) => DataTypeCodec.TryDecode(bytes.Span, out var state, out var reason) ? state : throw new InvalidDataException(reason);

    private void Print(string name, int bytes, string what, Func<object> run)
    {
        Repeat(run, TimeSpan.FromSeconds(options.Seconds / 4.0));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var (times, cpu) = Repeat(run, TimeSpan.FromSeconds(options.Seconds));
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {bytes} | {what} | {cpu.TotalMicroseconds / times:f0} | {allocated / times / 1024} |"));
    }

    /// <summary>By the process's CPU time, which others on the machine do not lengthen, and in which the collector's is too.</summary>
    private static (long Times, TimeSpan Cpu) Repeat(Func<object> run, TimeSpan length)
    {
        var times = 0L;
        var before = Environment.CpuUsage.TotalTime;
        for (; Environment.CpuUsage.TotalTime - before < length; times++)
        {
            GC.KeepAlive(run());
        }

        return (times, Environment.CpuUsage.TotalTime - before);
    }
}
