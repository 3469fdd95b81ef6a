import { describe, expect, it } from "vitest";
import { toCsv, toJson } from "../../src/photo/exporting";
import { age, face, gender, picture } from "../faces";

const READ = { name: "a.jpg", picture: picture(face({ age: age(30), gender: gender(0.75) })) };

describe("toCsv", () => {
  it("gives a row for each face", () => {
    expect(toCsv([READ])).toBe(
      "picture,face,x,y,width,height,score,age,age_low,age_high,age_level,age_group," +
        "gender,gender_probability,gender_male,gender_female\r\n" +
        "a.jpg,1,10,20,40,50,0.9,30,23,38,0.9,youth,female,0.75,0.25,0.75\r\n",
    );
  });

  it("gives a picture without faces a row of its own, and leaves out nothing", () => {
    const rows = toCsv([{ name: "none.png", picture: picture() }, READ]).split("\r\n");
    expect(rows[1]).toMatch(/^none\.png,+$/);
    expect(rows[1]?.split(",")).toHaveLength(rows[0]?.split(",").length ?? 0);
    expect(rows[2]).toMatch(/^a\.jpg,1,/);
  });

  it.each([
    ['two, "three".jpg', '"two, ""three"".jpg"'],
    ["=1+1.jpg", "'=1+1.jpg"],
    ["@a\n.jpg", '"\'@a\n.jpg"'],
  ])("keeps the name %j from breaking the table or running as a formula", (name, cell) => {
    const text = toCsv([{ name, picture: picture(face({})) }]);
    expect(text.slice(text.indexOf("\r\n") + 2)).toBe(`${cell},1,10,20,40,50,0.9\r\n`);
  });
});

describe("toJson", () => {
  it("gives all that was read, with the name", () => {
    expect(JSON.parse(toJson([READ]))).toEqual({ pictures: [{ name: "a.jpg", ...READ.picture }] });
  });
});
