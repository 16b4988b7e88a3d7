namespace Kv.Chaos.Load;

/// <summary>Which node a client without a ring of its own goes to: each in turn, leaving out for a second those that did not answer, as a load balancer does.</summary>
internal sealed class NodePicker(Func<IReadOnlyList<string>> addresses)
{
    private readonly Dictionary<string, DateTime> avoided = [];
    private readonly Lock gate = new();
    private int turn;

    public string Next()
    {
        lock (gate)
        {
            var all = addresses();
            for (var i = 0; i < all.Count; i++)
            {
                var one = all[(int)((uint)++turn % all.Count)];
                if (!avoided.TryGetValue(one, out var until) || until < DateTime.UtcNow)
                {
                    return one;
                }
            }

            return all[(int)((uint)++turn % all.Count)];
        }
    }

    public void Avoid(string address)
    {
        lock (gate)
        {
            avoided[address] = DateTime.UtcNow + TimeSpan.FromSeconds(1);
        }
    }
}
