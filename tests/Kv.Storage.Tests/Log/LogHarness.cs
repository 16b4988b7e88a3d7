using Kv.Core.Stores;
using Kv.Storage.Files;
using Kv.Storage.Log;

namespace Kv.Storage.Tests.Log;

/// <summary>A log with small segments and what its recovery found.</summary>
internal sealed class LogHarness : IDisposable
{
    public const string Directory = "/data/log";
    public static readonly LogOptions Options = LogOptions.ForSegments(64 * 1024) with { PrepareAhead = false, Interval = TimeSpan.FromMilliseconds(5) };
    public static readonly StoreIdentity Store = new(3, 1);

    public LogHarness(IStorageFiles files, LogOptions? options = null, long acknowledged = 0)
    {
        Log = WriteAheadLog.Open(files, Directory, options ?? Options, TimeProvider.System, acknowledged, (record, at) => Found.Add((record, at)), Failures.Add);
        IStorageFile? segment = null;
        foreach (var (record, at) in Found)
        {
            segment?.Dispose();
            segment = Log.OpenSegment(at);
            Payloads.Add((record.Lsn, Log.Read(at, segment).Payload.ToArray()));
        }

        segment?.Dispose();
    }

    public WriteAheadLog Log { get; }

    public List<(LogRecord Record, LogLocation At)> Found { get; } = [];

    public List<(long Lsn, byte[] Payload)> Payloads { get; } = [];

    public List<StoreException> Failures { get; } = [];

    public ValueTask Append(byte[] payload, Durability durability = Durability.Synced) =>
        Log.Append(Store, LogRecordKind.Batch, new Payload(payload), durability, out _, out _);

    public void Dispose() => Log.Dispose();

    internal sealed class Payload(byte[] bytes) : ILogPayload
    {
        public int Length => bytes.Length;

        public void CopyTo(Span<byte> target) => bytes.CopyTo(target);
    }
}
