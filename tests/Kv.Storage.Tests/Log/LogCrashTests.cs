using Kv.Core.Stores;
using Kv.Storage.Log;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests.Log;

/// <summary>A crash before every single file operation of a random workload: what was acknowledged is there, in order, and nothing else is.</summary>
public sealed class LogCrashTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Crash_AtEachOperation_LosesNoAcknowledgedRecordAndInventsNone(int seed)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var appended = new List<byte[]>();
        var acknowledged = 0;
        long trimmed = 0;
        var crashes = new List<(DiskImage Image, int Acknowledged, long Trimmed, FileOperation At)>();
        disk.Before = operation => crashes.Add((disk.Capture(), Volatile.Read(ref acknowledged), Volatile.Read(ref trimmed), operation));

        // Twice over: the second opening recovers and goes on behind what the first wrote.
        var random = new Random(seed);
        for (var opening = 0; opening < 2; opening++)
        {
            using var harness = new LogHarness(disk);
            for (var step = 0; step < 40; step++)
            {
                var burst = new List<Task>();
                for (var count = random.Next(1, 5); count > 0; count--)
                {
                    var payload = Bytes.Pattern(random.Next(3) == 0 ? random.Next(8000) : random.Next(200), random.Next());
                    lock (appended)
                    {
                        appended.Add(payload);
                    }

                    burst.Add(harness.Append(payload).AsTask());
                }

                foreach (var write in burst)
                {
                    await write;
                }

                Volatile.Write(ref acknowledged, appended.Count);
                if (step % 9 == 8)
                {
                    // As an engine does whose stores are covered up to a while ago. Noted before, since the trim may be half done in a crash.
                    var keepFrom = Math.Max(1, harness.Log.NextLsn - 10);
                    Volatile.Write(ref trimmed, keepFrom - 1);
                    harness.Log.Trim(keepFrom, [new StoreCoverage(LogHarness.Store, keepFrom - 1)]);
                }
            }
        }

        Assert.True(crashes.Count > 200, $"only {crashes.Count} operations");
        for (var index = 0; index < crashes.Count; index++)
        {
            var (image, known, cut, at) = crashes[index];
            var context = $"seed {seed}, crash before operation {at}";
            var recovering = CrashesOfRecovery(image.Settle(seed + index), context);
            await CheckAsync(recovering[index % recovering.Count].Settle(seed - index), appended, known, cut, context + ", and once more while it was recovered");
            await CheckAsync(image.Settle(seed + index), appended, known, cut, context);
        }
    }

    /// <summary>What a crash before each operation of the recovery leaves.</summary>
    private static List<DiskImage> CrashesOfRecovery(FaultyFiles disk, string context)
    {
        var crashes = new List<DiskImage>();
        disk.Before = _ => crashes.Add(disk.Capture());
        using (Open(disk, context))
        {
            disk.Before = null;
        }

        return crashes;
    }

    private static async Task CheckAsync(FaultyFiles disk, List<byte[]> appended, int acknowledged, long trimmed, string context)
    {
        long last;
        using (var recovered = Open(disk, context))
        {
            // Sequence numbers count from 1 and there is one record for each append.
            var found = recovered.Payloads;
            last = recovered.Log.NextLsn - 1;
            Assert.True(last >= acknowledged, $"{context}: {acknowledged} acknowledged, the log ends at {last}");
            Assert.True(found.Count == 0 || found[0].Lsn <= trimmed + 1, $"{context}: starts at {found.FirstOrDefault().Lsn}, trimmed to {trimmed}");
            foreach (var (lsn, payload) in found)
            {
                Assert.True(payload.AsSpan().SequenceEqual(appended[(int)lsn - 1]), $"{context}: record {lsn} is not what was appended");
            }

            await recovered.Append(Bytes.Pattern(100, 7));
        }

        using var again = Open(disk, context + ", second start");
        Assert.Equal(last + 1, again.Log.NextLsn - 1);
        Assert.Equal(Bytes.Pattern(100, 7), again.Payloads[^1].Payload);
    }

    private static LogHarness Open(FaultyFiles disk, string context)
    {
        try
        {
            return new LogHarness(disk);
        }
        catch (StoreException refused)
        {
            throw new InvalidOperationException($"{context}: refused to start: {refused.Message}", refused);
        }
    }
}
