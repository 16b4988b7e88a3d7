using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// `/stats` and `riak admin status`: this node's figures under the names that Riak's dashboards read (reference 11.2). Only what is truly counted is there. Names without `_total` are of the last
/// minute, from samples every <see cref="SampleInterval"/>; times are microseconds.
/// </summary>
public sealed class RiakStatistics : IDisposable
{
    private const int WindowSamples = 12;

    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(5);

    private readonly KvStatistics statistics;
    private readonly ClusterState state;
    private readonly string nodeName;
    private readonly ITimer timer;

    // Guards the samples: the timer adds, requests read.
    private readonly Lock gate = new();
    private readonly Queue<Sample> samples = new();

    /// <summary>Samples from here on, until it is disposed of.</summary>
    public RiakStatistics(KvStatistics statistics, ClusterState state, string nodeName, TimeProvider time)
    {
        (this.statistics, this.state, this.nodeName) = (statistics, state, nodeName);
        samples.Enqueue(Take());
        timer = time.CreateTimer(_ => AddSample(), null, SampleInterval, SampleInterval);
    }

    /// <summary>One object, a field for each figure.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        WriteRequests(json);
        WriteRing(json);
        WriteSystem(json);
        json.WriteEndObject();
    }

    public void Dispose() => timer.Dispose();

    internal Task SendAsync(HttpContext http)
    {
        var isText = AcceptHeader.QualityOf(http.Request.Headers.Accept, "text/plain", out var isNamed) > 0 && isNamed;
        if (!isText && !AcceptHeader.Allows(http.Request.Headers.Accept, "application/json"))
        {
            return http.SendAsync(HttpErrors.NotAcceptable);
        }

        var buffer = new System.Buffers.ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer with { Indented = isText }))
        {
            Write(json);
        }

        return http.SendAsync(StatusCodes.Status200OK, isText ? "text/plain" : "application/json", buffer.WrittenMemory);
    }

    private void WriteRequests(Utf8JsonWriter json)
    {
        Sample then;
        lock (gate)
        {
            then = samples.Peek();
        }

        var now = Take();
        WriteOperation(json, "get", then.Gets, now.Gets);
        WriteOperation(json, "put", then.Puts, now.Puts);
        json.WriteNumber("node_get_fsm_errors_total", statistics.Failures(KvOperation.Get));
        json.WriteNumber("node_put_fsm_errors_total", statistics.Failures(KvOperation.Put));
        WriteSummary(json, "node_get_fsm_siblings", then.ReadSiblings, now.ReadSiblings);
        WriteSummary(json, "node_get_fsm_objsize", then.ReadObjectBytes, now.ReadObjectBytes);
        WriteSummary(json, "vnode_put_siblings", then.Siblings, now.Siblings);
        WriteSummary(json, "vnode_put_objsize", then.ObjectBytes, now.ObjectBytes);
        json.WriteNumber("read_repairs", now.ReadRepairs - then.ReadRepairs);
        json.WriteNumber("read_repairs_total", now.ReadRepairs);
        json.WriteNumber("skipped_read_repairs", statistics.SkippedRepairs);
        json.WriteNumber("precommit_fail", statistics.PreCommitFailures);
        json.WriteNumber("postcommit_fail", statistics.PostCommitFailures?.Invoke() ?? 0);
        json.WriteNumber("coord_redirs_total", statistics.ForwardedRequests);
        json.WriteNumber("dropped_vnode_requests_total", statistics.VnodeOverloads);
        json.WriteNumber("node_requests_active", statistics.ActiveRequests);
        json.WriteNumber("node_requests_rejected_total", statistics.RequestOverloads);
        var (waiting, deepest) = statistics.MailboxDepth?.Invoke() ?? default;
        json.WriteNumber("riak_kv_vnodeq_total", waiting);
        json.WriteNumber("riak_kv_vnodeq_max", deepest);
    }

    private static void WriteOperation(Utf8JsonWriter json, string operation, in Figures then, in Figures now)
    {
        json.WriteNumber($"node_{operation}s", now.Count - then.Count);
        json.WriteNumber($"node_{operation}s_total", now.Count);
        WriteSummary(json, $"node_{operation}_fsm_time", then, now);
    }

    private static void WriteSummary(Utf8JsonWriter json, string name, in Figures then, in Figures now)
    {
        var counts = new long[now.Counts.Length];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = now.Counts[i] - then.Counts[i];
        }

        var count = now.Count - then.Count;
        json.WriteNumber($"{name}_mean", count <= 0 ? 0 : Math.Max(0, now.Sum - then.Sum) / count);
        json.WriteNumber($"{name}_median", KvHistogram.Percentile(counts, 0.5));
        json.WriteNumber($"{name}_95", KvHistogram.Percentile(counts, 0.95));
        json.WriteNumber($"{name}_99", KvHistogram.Percentile(counts, 0.99));
        json.WriteNumber($"{name}_100", KvHistogram.Percentile(counts, 1));
    }

    private void WriteRing(Utf8JsonWriter json)
    {
        json.WriteString("nodename", nodeName);
        if (state.Current is not { Document: { } document } snapshot)
        {
            return;
        }

        json.WriteStartArray("ring_members");
        foreach (var member in document.Members)
        {
            json.WriteStringValue(member.Name);
        }

        json.WriteEndArray();
        json.WriteNumber("ring_num_partitions", document.Ring.Size);
        json.WriteNumber("ring_creation_size", document.Ring.Size);
        var owned = document.Ring.Owners.CountBy(owner => owner).ToDictionary();
        json.WriteString("ring_ownership", string.Join(", ", document.Members.Select(member => Ownership(member.Name, owned.GetValueOrDefault(member.Id)))));
        json.WriteStartArray("connected_nodes");
        foreach (var member in document.Members)
        {
            if (member.Id != snapshot.Self && snapshot.IsUp(member.Id))
            {
                json.WriteStringValue(member.Name);
            }
        }

        json.WriteEndArray();
    }

    private static string Ownership(string name, int partitions) => string.Create(CultureInfo.InvariantCulture, $"{name}: {partitions}");

    private static void WriteSystem(Utf8JsonWriter json)
    {
        var memory = GC.GetGCMemoryInfo();
        json.WriteNumber("memory_total", Environment.WorkingSet);
        json.WriteNumber("memory_processes_used", GC.GetTotalMemory(forceFullCollection: false));
        json.WriteNumber("mem_total", memory.TotalAvailableMemoryBytes);
        json.WriteNumber("sys_logical_processors", Environment.ProcessorCount);
        json.WriteNumber("sys_wordsize", IntPtr.Size);
        json.WriteString("sys_system_architecture", RuntimeInformation.RuntimeIdentifier);
        json.WriteString("sys_system_version", RuntimeInformation.FrameworkDescription);
    }

    private void AddSample()
    {
        var sample = Take();
        lock (gate)
        {
            samples.Enqueue(sample);
            while (samples.Count > WindowSamples)
            {
                samples.Dequeue();
            }
        }
    }

    private Sample Take()
    {
        return new Sample(
            Figures.Of(statistics.LatencyMicroseconds(KvOperation.Get)),
            Figures.Of(statistics.LatencyMicroseconds(KvOperation.Put)),
            Figures.Of(statistics.Siblings),
            Figures.Of(statistics.ObjectBytes),
            Figures.Of(statistics.ReadSiblings),
            Figures.Of(statistics.ReadObjectBytes),
            statistics.ReadRepairs);
    }

    private sealed record Sample(Figures Gets, Figures Puts, Figures Siblings, Figures ObjectBytes, Figures ReadSiblings, Figures ReadObjectBytes, long ReadRepairs);

    private readonly record struct Figures(long[] Counts, long Count, long Sum)
    {
        public static Figures Of(KvHistogram histogram)
        {
            var counts = histogram.ToCounts();
            var count = 0L;
            foreach (var bucket in counts)
            {
                count += bucket;
            }

            return new Figures(counts, count, histogram.Sum);
        }
    }
}
