using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Kv.Cluster.Tests.Coordination;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests;

public sealed class KvStatisticsTests
{
    [Fact]
    public void BucketTypesThatClientsMakeUp_ShareOneSeries() => DataCluster.Run(1, 3, async cluster =>
    {
        var seen = new ConcurrentBag<string?>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "kv_request_duration_seconds")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            foreach (var tag in tags)
            {
                seen.Add(tag.Value as string);
            }
        });
        listener.Start();
        await cluster.Primary(0).AskAsync(Story.Get(Story.Key(type: "made-up")));
        Assert.Contains(KvStatistics.UnknownBucketTypeLabel, seen);
        Assert.DoesNotContain("made-up", seen);
    });
}
