using CsCheck;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Wire.Peer;
using Xunit;

namespace Kv.Wire.Tests.Peer;

public sealed class DeadlineWheelTests
{
    [Fact]
    public void Requests_ExpireInTheirTick_NeitherBeforeNorLater() =>
        Gen.Select(Gen.Long[1, 2000].Array[1, 50], Gen.Int[1, 700]).Sample(
            (deadlines, step) =>
            {
                var wheel = new DeadlineWheel(1000);
                var requests = deadlines.Select(deadline => (Expires: 1000 + deadline, Request: Request())).ToList();
                requests.ForEach(request => wheel.Add(request.Request, request.Expires));
                var expired = new List<PendingRequest>();
                for (long now = 1000; now < 4000; now += step)
                {
                    expired.Clear();
                    wheel.CollectExpired(now, expired);
                    var due = requests.Where(request => request.Expires <= now).Select(request => request.Request).ToHashSet();
                    if (!due.SetEquals(expired))
                    {
                        return false;
                    }

                    expired.ForEach(wheel.Remove);
                    requests.RemoveAll(request => due.Contains(request.Request));
                }

                return wheel.Count == requests.Count;
            },
            iter: 300);

    [Fact]
    public void Request_ThatWasRemoved_DoesNotExpire()
    {
        var wheel = new DeadlineWheel(0);
        var requests = Enumerable.Range(0, 5).Select(_ => Request()).ToList();
        requests.ForEach(request => wheel.Add(request, 3));
        wheel.Remove(requests[2]);
        wheel.Remove(requests[4]);
        wheel.Remove(requests[0]);
        var expired = new List<PendingRequest>();

        wheel.CollectExpired(10, expired);

        Assert.Equal([requests[3], requests[1]], expired);
    }

    private static PendingRequest Request() => new(new PeerRequest.Heartbeat(), new Deadline(0), 0);
}
