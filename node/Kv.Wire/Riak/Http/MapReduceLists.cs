using System.Buffers;
using System.Text.Json;
using Kv.Cluster;
using Kv.Core.MapReduce;

namespace Kv.Wire.Riak.Http;

/// <summary>The results of a job's kept phases, gathered as JSON: a list for each, though nothing came of it. Used by one at a time.</summary>
internal sealed class MapReduceLists : IDisposable
{
    private readonly SortedDictionary<int, PhaseList> lists = [];

    public MapReduceLists(MapReduceJob job)
    {
        for (var phase = 0; phase < job.Phases.Length; phase++)
        {
            if (job.Phases[phase].Keep)
            {
                lists.Add(phase, new PhaseList());
            }
        }

        // The inputs themselves, or nothing at all.
        if (lists.Count == 0)
        {
            lists.Add(0, new PhaseList());
        }
    }

    public long Bytes => lists.Values.Sum(list => list.Bytes);

    public void Add(MapReduceResults some) => lists[some.Phase].Add(some);

    /// <summary>What there is then stays as it is.</summary>
    public ReadOnlyMemory<byte>[] End() => [.. lists.Values.Select(list => list.End())];

    public void Dispose()
    {
        foreach (var list in lists.Values)
        {
            list.Dispose();
        }
    }

    private sealed class PhaseList : IDisposable
    {
        private readonly ArrayBufferWriter<byte> buffer = new(256);
        private readonly Utf8JsonWriter json;
        private bool? isObject;

        public PhaseList() => json = new Utf8JsonWriter(buffer, PlainJson.Writer);

        public long Bytes => json.BytesCommitted + json.BytesPending;

        public void Add(MapReduceResults some)
        {
            Begin(MapReduceJson.IsObject(some.Terms));
            MapReduceJson.WriteItems(json, some.Terms, isObject == true, some.Phase);
        }

        public ReadOnlyMemory<byte> End()
        {
            Begin(asObject: false);
            MapReduceJson.End(json, isObject == true);
            json.Flush();
            return buffer.WrittenMemory;
        }

        public void Dispose() => json.Dispose();

        private void Begin(bool asObject)
        {
            if (isObject is null)
            {
                isObject = asObject;
                MapReduceJson.Begin(json, asObject);
            }
        }
    }
}
