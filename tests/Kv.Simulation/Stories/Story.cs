using Kv.TestKit;

namespace Kv.Simulation.Stories;

/// <summary>One thing that the cluster promises, told as it happens. Its transcript is in `Stories/NAME.txt`, is read by people, and is compared in a test.</summary>
public sealed class Story
{
    private const int Seed = 1;

    private readonly Func<StoryTeller, Task> tell;
    private readonly int nodes;

    internal Story(string name, int nodes, Func<StoryTeller, Task> tell)
    {
        Name = name;
        (this.nodes, this.tell) = (nodes, tell);
    }

    public string Name { get; }

    /// <summary>The transcript that was read and found right; null where there is none yet.</summary>
    public string? Written
    {
        get
        {
            using var written = typeof(Story).Assembly.GetManifestResourceStream(Name + ".txt");
            return written is null ? null : new StreamReader(written).ReadToEnd();
        }
    }

    public string Tell()
    {
        var text = "";
        SimCluster.Run(Seed, nodes, async cluster =>
        {
            var teller = new StoryTeller(cluster);
            await tell(teller);
            text = teller.Text;
        });
        return text.TrimStart('\n');
    }
}
