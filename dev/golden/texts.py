"""Ordinary texts for teacher forcing, and dialogues for greedy decoding; all written for this project."""

DOCUMENTS = [
    """The harbour wakes before the town does. By four in the morning the first boats have already slipped past the breakwater, their lamps
swinging over black water, and the men on board speak little because there is nothing yet to say. Old Marten keeps the ice house. He has done so
for thirty years, and he can tell from the sound of an engine which boat is coming home and whether the catch was good. "A heavy boat sings
low," he likes to say, and the children who wait for scraps repeat it as if it were a spell. On the day of the storm, however, no boat sang at all.
The wind had turned in the night, from the south to the north-west, and the glass in the harbour office had fallen further than anyone could
remember. Marten stood at the end of the pier with his coat buttoned to the chin and counted. Seven boats had gone out. By noon four of them were
back, their decks swept clean and their crews too tired to tie a proper knot. The fifth came in at two, towing the sixth. Then the rain closed
over the bay like a curtain, and there was nothing to see but grey. "She is a good boat," said the harbour master, who did not believe it. Marten
did not answer. He had gone back to the ice house to light the big lamp that had not been used since his father's time, and when it was burning he
sat down beside it to wait.""",
    """# Weather station

A small program that reads a temperature and humidity sensor once a minute, stores the readings in a local database, and shows them on a web page.

## Requirements

- A single-board computer with a free serial port
- Python 3.10 or newer
- About 50 MB of disk space for a year of readings

## Installation

Clone the repository and create a virtual environment. Then install the package and its dependencies:

```
python3 -m venv env
source env/bin/activate
pip install .
```

Copy the file `config.example.toml` to `config.toml` and set the name of the serial port. On most systems this is `/dev/ttyUSB0`. If you are not
sure, unplug the sensor, list the devices, plug it in again and look for the one that is new.

## Usage

Start the recorder with `weather record`. It runs until you press Ctrl+C. To see the web page, run `weather serve` in a second terminal and open
http://localhost:8080 in your browser. The page shows the last 24 hours by default; use the buttons at the top to see a week, a month or a year.

## Troubleshooting

If no readings appear, check that your user may open the serial port. On many systems you have to be a member of the group `dialout`. After you
have been added to the group you need to log out and log in again. If the readings jump around, the cable may be too long. Keep it under three
meters.""",
    """Photosynthesis is the process by which plants, algae and some bacteria turn light into chemical energy. It takes place in the chloroplasts,
small bodies inside the cell that contain a green pigment called chlorophyll. Chlorophyll absorbs red and blue light well, but reflects green light,
which is why leaves look green to us. The process has two stages. In the first stage, known as the light-dependent reactions, the energy of sunlight
is used to split water molecules into hydrogen and oxygen. The oxygen is released into the air, and the energy is stored in two molecules, ATP and
NADPH. In the second stage, called the Calvin cycle, the plant uses this stored energy to turn carbon dioxide into sugar. The second stage does not
need light directly, but it cannot go on for long without the products of the first. The rate of photosynthesis depends on several factors. When
there is more light, the rate increases, up to a point where the leaf cannot use any more. The concentration of carbon dioxide matters in the same
way. Temperature is important too: the enzymes that control the Calvin cycle work best between 20 and 30 degrees Celsius, and they are damaged if it
becomes too hot. Finally, a plant that lacks water closes the small openings in its leaves, called stomata, in order to save water, and this keeps
carbon dioxide out. Almost all life on Earth depends on photosynthesis. It provides the food that we eat and the oxygen that we breathe.""",
    """import csv
import sys
from collections import defaultdict


class Account:
    \"\"\"A bank account with a balance and a list of transactions.\"\"\"

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.transactions = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.transactions.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.transactions.append(("withdraw", amount))


def read_accounts(path):
    \"\"\"Read accounts from a CSV file with the columns owner, kind and amount.\"\"\"
    accounts = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            owner = row["owner"]
            if owner not in accounts:
                accounts[owner] = Account(owner)
            amount = float(row["amount"])
            if row["kind"] == "deposit":
                accounts[owner].deposit(amount)
            else:
                accounts[owner].withdraw(amount)
    return accounts


def total_by_kind(accounts):
    totals = defaultdict(float)
    for account in accounts.values():
        for kind, amount in account.transactions:
            totals[kind] += amount
    return totals


def main():
    accounts = read_accounts(sys.argv[1])
    for owner, account in sorted(accounts.items()):
        print(f"{owner}: {account.balance:.2f}")
    for kind, total in total_by_kind(accounts).items():
        print(f"{kind}: {total:.2f}")


if __name__ == "__main__":
    main()
""",
    """Vegetable soup for four

Ingredients: 2 tablespoons of olive oil, 1 large onion, 2 cloves of garlic, 3 carrots, 2 stalks of celery, 2 medium potatoes, 1 can (400 g) of
chopped tomatoes, 1 litre of vegetable stock, 1 teaspoon of dried thyme, 1 bay leaf, 150 g of green beans, salt and pepper to taste, and a handful
of fresh parsley.

1. Peel the onion and the garlic and chop them finely. Wash the carrots, the celery and the potatoes and cut them into small cubes of about 1 cm.
2. Heat the olive oil in a large pot over medium heat. Add the onion and cook for about 5 minutes, until it is soft but not brown. Add the garlic and
cook for another minute.
3. Add the carrots and the celery and cook for 5 minutes, stirring from time to time.
4. Add the potatoes, the tomatoes, the stock, the thyme and the bay leaf. Bring to a boil, then reduce the heat, cover the pot and simmer for 15
minutes.
5. Cut the green beans into short pieces and add them to the pot. Simmer for another 10 minutes, until all the vegetables are tender.
6. Remove the bay leaf. Season with salt and pepper. Chop the parsley and sprinkle it over the soup just before serving.

Serve hot with fresh bread. The soup keeps in the refrigerator for three days and tastes even better on the second day. To make it more filling, add
a can of white beans, drained and rinsed, together with the green beans in step 5.""",
    """Dear Mr. Thompson,

Thank you for your letter of 12 March about the delivery of your new kitchen table. I am very sorry that the table arrived with a scratch on its
surface, and that you had to wait for two weeks before we answered you. This is not the service that we want to give to our customers.

I have spoken with our warehouse, and I can now offer you a choice between two solutions. We can send you a new table, free of charge, and collect
the damaged one on the same day. The new table would be delivered between 2 and 6 April; our driver will call you on the day before to agree on a
time. If you would rather keep the table that you have, we will refund 30 percent of the price, that is 126 dollars, to your bank account within five
working days.

Please let me know which of the two you prefer. You can reply to this letter, send an e-mail to the address below, or call me directly at the number
at the top of this page. I am in the office from Monday to Friday between 9 a.m. and 5 p.m.

I would also like to thank you for telling us that the box was open when it reached you. We have changed the way in which we pack our tables, so that
this should not happen again.

Once more, I apologise for the trouble that we have caused you, and I hope that you will enjoy your table for many years.

Yours sincerely,
Helen Ward
Customer Service""",
    """The history of the bicycle begins in the early nineteenth century. In 1817 a German baron named Karl von Drais built a wooden machine with two
wheels, one behind the other, and a bar to steer the front wheel. It had no pedals: the rider sat on a seat between the wheels and pushed himself
forward with his feet. The machine was fast on good roads, but it was heavy and hard to stop, and several cities soon banned it from their pavements.
Pedals came in the 1860s, when French makers fixed cranks to the front wheel. These machines were made of iron and wood, and because they shook their
riders so badly they were known in England as boneshakers. Since one turn of the pedals moved the machine only as far as one turn of the wheel, makers
began to build larger and larger front wheels. The result was the high bicycle of the 1870s, which was fast and elegant, but also dangerous. A rider
who hit a stone could be thrown over the handlebars from a height of one and a half meters. The solution came in 1885, when John Kemp Starley of
Coventry sold the first successful safety bicycle. It had two wheels of the same size and a chain that drove the rear wheel. Three years later John Boyd
Dunlop, a veterinary surgeon in Belfast, invented a practical tyre filled with air. With these two inventions the bicycle had found the form that it
still has today, and within ten years millions of people were riding one.""",
    """"So what you are telling me," said the inspector, "is that nobody entered the room between nine o'clock and half past ten."

"Nobody," said Mrs. Hale. "I sat in the hall the whole time. I was reading."

"May I ask what you were reading?"

She hesitated. "A novel. I don't remember the title. Something about a lighthouse."

The inspector wrote this down slowly, as if every letter mattered. Then he closed his notebook and looked out of the window. On the lawn two gardeners
were raking leaves into a heap. "It is a strange thing," he said, "but there is no light in the hall. The bulb has been broken since Tuesday. Your
husband told me so himself. He was going to have it replaced tomorrow."

Mrs. Hale said nothing.

"You cannot read in the dark, Mrs. Hale. Nobody can. So I ask myself where you really were last night, and why you would rather not tell me."

She stood up and walked to the fireplace. For a while there was no sound but the ticking of the clock. When she turned around there were tears in her
eyes, but her voice was steady. "I was in the garden," she said. "I was waiting for someone who did not come. You may believe me or not, as you like. But
I did not take the necklace, and I do not know who did."

"I believe you," said the inspector, and he meant it. "I believe you because the necklace was never stolen. It is in the pocket of this coat.\"""",
]

DIALOGUES = [
    [("user", "What is the capital of France?")],
    [("user", "Write a short poem about the sea.")],
    [("user", "Explain in two sentences why the sky is blue.")],
    [("system", "You are a helpful assistant that answers briefly."), ("user", "How many days are in a leap year?")],
    [("system", "You are a pirate. Answer like one."), ("user", "Where can I buy bread?")],
    [("user", "List three fruits that are red.")],
    [("user", "Translate 'good morning' into Spanish.")],
    [("user", "What is 12 times 12?")],
    [("user", "Hello! My name is Anna."), ("assistant", "Hello Anna! How can I help you today?"), ("user", "What is my name?")],
    [("user", "Write a Python function that adds two numbers.")],
    [("user", "Who wrote Romeo and Juliet?")],
    [("user", "Give me a recipe for pancakes.")],
    [("system", "Classify the sentiment of the text as positive or negative."), ("user", "The food was cold and the waiter was rude.")],
    [("system", "Classify the sentiment of the text as positive or negative."), ("user", "I loved every minute of this film!")],
    [("user", "What is photosynthesis?")],
    [("user", "Tell me a joke about a cat.")],
    [("user", "Summarize: The meeting was moved from Monday to Wednesday because the room was not free. Please tell everyone.")],
    [("user", "What should I pack for a trip to the mountains?")],
    [
        ("user", "What is the largest planet?"),
        ("assistant", "The largest planet in our solar system is Jupiter."),
        ("user", "And the smallest?"),
    ],
    [("user", "Écris une phrase en français. 😀")],
]
